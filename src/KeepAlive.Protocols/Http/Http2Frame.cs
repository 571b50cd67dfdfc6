using System.Buffers.Binary;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Http;

/// <summary>RFC 9113 section 6.</summary>
internal enum Http2Kind : byte
{
    Data = 0,
    Headers = 1,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    Continuation = 9,
}

/// <summary>The first bytes of a frame.</summary>
internal readonly ref struct Http2Frame
{
    //  3        1      1       4 (31 bits)
    // +--------+------+-------+-----------+---------+
    // | length | kind | flags | stream    | payload |   RFC 9113 section 4.1
    // +--------+------+-------+-----------+---------+
    private const int HeadBytes = 9;
    private const int PingBytes = 8;
    private const int GoAwayBytesMax = 1024;

    private readonly ReadOnlySpan<byte> _frame;

    /// <summary>One that was measured.</summary>
    public Http2Frame(ReadOnlySpan<byte> frame) => _frame = frame;

    public Http2Kind Kind => (Http2Kind)_frame[3];

    public int Stream => (int)(BinaryPrimitives.ReadUInt32BigEndian(_frame[5..]) & 0x7FFF_FFFF);

    /// <summary>The last one of its stream in its direction; of SETTINGS and PING, an answer.</summary>
    public bool HasFlag1 => (_frame[4] & 1) != 0;

    /// <summary>The last one of its block of fields.</summary>
    public bool IsEndOfHeaders => (_frame[4] & 4) != 0;

    public ReadOnlySpan<byte> Payload => _frame[HeadBytes..];

    /// <summary>How long it is, or why it cannot be one.</summary>
    public static FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        if (start.Length < HeadBytes) return FrameMeasure.NeedsMore;
        int length = (start[0] << 16) | (start[1] << 8) | start[2];
        var kind = (Http2Kind)start[3];
        if (kind == Http2Kind.Ping && (length != PingBytes || new Http2Frame(start).Stream != 0)) return FrameMeasure.Doubtful("a PING that is none: not understood any more");
        bool isWhole = kind == Http2Kind.Ping || (kind == Http2Kind.GoAway && length <= GoAwayBytesMax);
        return isWhole ? FrameMeasure.Whole(HeadBytes + length) : FrameMeasure.Of(HeadBytes + length);
    }

    /// <summary>A PING.</summary>
    public static byte[] Ping(ulong payload)
    {
        byte[] frame = new byte[HeadBytes + PingBytes];
        (frame[2], frame[3]) = (PingBytes, (byte)Http2Kind.Ping);
        BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(HeadBytes), payload);
        return frame;
    }
}
