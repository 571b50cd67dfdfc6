using System.Buffers.Binary;
using System.Text;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.PostgreSql;

/// <summary>The start of a message of PostgreSQL's protocol, version 3 (PostgreSQL documentation, chapter "Frontend/Backend Protocol").</summary>
internal static class PostgreSqlMessage
{
    //  one byte   4, itself included
    // +----------+--------+---------+
    // | kind     | length | ...     |   all but the client's first: that has no kind
    // +----------+--------+---------+
    public const int RequestCodeBytes = 8;

    /// <summary>A kind: one byte follows, how the session stands.</summary>
    public const byte ReadyForQuery = (byte)'Z';

    public const int SslRequest = 80877103;
    public const int GssRequest = 80877104;
    public const int CancelRequest = 80877102;
    public const int Version3 = 3 << 16;

    // PQ_LARGE_MESSAGE_LIMIT less one; the server's own bound on most of what it takes is 1 GB.
    private const int BytesMax = 0x3FFFFFFF;
    private const int StartupBytesMax = 10_000; // MAX_STARTUP_PACKET_LENGTH
    private const int LengthBytes = 4;

    /// <summary>FATAL, too_many_connections.</summary>
    public static readonly byte[] Refusal = [(byte)'E', 0, 0, 0, 59, .. "SFATAL\0VFATAL\0C53300\0Mtoo many connections, try later\0\0"u8];

    /// <summary>A Sync, which is answered with ReadyForQuery and nothing else.</summary>
    public static ReadOnlySpan<byte> Sync => [(byte)'S', 0, 0, 0, 4];

    /// <summary>A message with its kind before it.</summary>
    /// <param name="start">One byte at least.</param>
    public static FrameMeasure Measure(ReadOnlySpan<byte> start)
    {
        if (!char.IsAsciiLetter((char)start[0]) && start[0] is < (byte)'0' or > (byte)'9') return Strange;
        if (start.Length < 1 + LengthBytes) return FrameMeasure.NeedsMore;
        int length = BinaryPrimitives.ReadInt32BigEndian(start[1..]);
        if (length is < LengthBytes or > BytesMax) return Strange;
        if (start[0] != ReadyForQuery) return FrameMeasure.Of(1 + length);
        return length == LengthBytes + 1 ? FrameMeasure.Whole(1 + length) : Strange;
    }

    /// <summary>What a client says first: a length and a code.</summary>
    public static FrameMeasure MeasureFirst(ReadOnlySpan<byte> start)
    {
        if (start[0] == Tls.Handshake) return FrameMeasure.Doubtful(Tls.Why);
        if (start.Length < RequestCodeBytes) return start[0] == 0 ? FrameMeasure.NeedsMore : Strange;
        int length = BinaryPrimitives.ReadInt32BigEndian(start);
        if (length is < RequestCodeBytes or > StartupBytesMax) return Strange;
        return length <= FramedProtocol.HeldBytesMax ? FrameMeasure.Whole(length) : FrameMeasure.Of(length);
    }

    /// <summary>The code of a client's first message.</summary>
    public static int Code(ReadOnlySpan<byte> first) => BinaryPrimitives.ReadInt32BigEndian(first[LengthBytes..]);

    /// <summary>Whether a startup message, all of it, asks for an ordinary session: not for replication.</summary>
    public static bool IsOrdinary(ReadOnlySpan<byte> startup)
    {
        if (startup.Length != BinaryPrimitives.ReadInt32BigEndian(startup)) return false; // too long to be here whole
        string[] words = Encoding.UTF8.GetString(startup[RequestCodeBytes..]).Split('\0');
        for (int at = 0; at + 1 < words.Length; at += 2) // names and values by turns
            if (words[at] == "replication" && words[at + 1] is not ("false" or "off" or "no" or "0")) return false;
        return true;
    }

    private static FrameMeasure Strange => FrameMeasure.Doubtful("not PostgreSQL's protocol: not understood any more");
}
