using System.Buffers.Binary;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.WebSocket;

/// <summary>RFC 6455 section 5.2.</summary>
internal enum WebSocketOpcode
{
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// <summary>The first bytes of a frame.</summary>
internal readonly ref struct WebSocketFrame
{
    //  0               1               2 or none        0, 4 bytes
    // +-+-+-+-+-------+-+-------------+----------------+-------------+---------+
    // |F|R|R|R| opcode|M| length      | if 126: 2      | masking key | payload |
    // |I|S|S|S|       |A| up to 125   | if 127: 8      | if MASK     |         |
    // |N|V|V|V|       |S|             |                |             |         |
    // | |1|2|3|       |K|             |                |             |         |
    // +-+-+-+-+-------+-+-------------+----------------+-------------+---------+
    private const int ControlPayloadMax = 125;
    private const byte Fin = 0x80;
    private const byte Rsv1 = 0x40;
    private const byte Rsv2And3 = 0x30;
    private const byte Masked = 0x80;
    private const int KeyBytes = 4;

    private readonly ReadOnlySpan<byte> _frame;

    /// <summary>One that was measured.</summary>
    public WebSocketFrame(ReadOnlySpan<byte> frame) => _frame = frame;

    public WebSocketOpcode Opcode => (WebSocketOpcode)(_frame[0] & 0x0F);

    /// <summary>How long it is, or why it cannot be one.</summary>
    /// <param name="start">One byte at least.</param>
    /// <param name="isClients">Clients mask, servers do not (section 5.1).</param>
    /// <param name="isDeflated">permessage-deflate was agreed on, which uses RSV1 (RFC 7692 section 6).</param>
    public static FrameMeasure Measure(ReadOnlySpan<byte> start, bool isClients, bool isDeflated)
    {
        if (start.Length < 2) return FrameMeasure.NeedsMore;
        int opcode = start[0] & 0x0F, length = start[1] & 0x7F;
        bool isControl = opcode >= 8;
        string? doubt = opcode is (> 2 and < 8) or > 10 ? $"a frame of unknown kind {opcode}"
            : (start[0] & Rsv2And3) != 0 || ((start[0] & Rsv1) != 0 && (!isDeflated || isControl)) ? "a frame with reserved bits"
            : ((start[1] & Masked) != 0) != isClients ? $"a frame of the {(isClients ? "client" : "server")}'s that is {(isClients ? "not " : "")}masked"
            : isControl && (length > ControlPayloadMax || (start[0] & Fin) == 0) ? "a control frame that is too long, or in parts"
            : null;
        if (doubt is not null) return FrameMeasure.Doubtful($"{doubt}: not understood any more");
        int more = length switch { 126 => 2, 127 => 8, _ => 0 };
        if (start.Length < 2 + more) return FrameMeasure.NeedsMore;
        ulong payload = more switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(start[2..]),
            8 => BinaryPrimitives.ReadUInt64BigEndian(start[2..]),
            _ => (ulong)length,
        };
        if (payload > long.MaxValue / 2) return FrameMeasure.Doubtful("a frame of more than 4 EiB: not understood any more");
        long whole = 2 + more + (isClients ? KeyBytes : 0) + (long)payload;
        return opcode == (int)WebSocketOpcode.Pong ? FrameMeasure.Whole(whole) : FrameMeasure.Of(whole);
    }

    /// <summary>The payload of a whole control frame, unmasked.</summary>
    /// <param name="payload">Room for 125 bytes.</param>
    /// <returns>Its length.</returns>
    public int Unmask(Span<byte> payload)
    {
        bool isMasked = (_frame[1] & Masked) != 0;
        ReadOnlySpan<byte> key = isMasked ? _frame.Slice(2, KeyBytes) : [0, 0, 0, 0], bytes = _frame[(isMasked ? 2 + KeyBytes : 2)..];
        for (int i = 0; i < bytes.Length; i++) payload[i] = (byte)(bytes[i] ^ key[i % KeyBytes]);
        return bytes.Length;
    }

    /// <summary>Writes a ping.</summary>
    /// <param name="payload">At most 125 bytes.</param>
    /// <param name="key">A client's masking key; none for a server's.</param>
    /// <param name="frame">Where to; the frame's bytes.</param>
    public static int WritePing(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> key, Span<byte> frame)
    {
        frame[0] = Fin | (byte)WebSocketOpcode.Ping;
        frame[1] = (byte)(payload.Length | (key.IsEmpty ? 0 : Masked));
        key.CopyTo(frame[2..]);
        Span<byte> body = frame[(2 + key.Length)..];
        for (int i = 0; i < payload.Length; i++) body[i] = (byte)(payload[i] ^ (key.IsEmpty ? 0 : key[i % KeyBytes]));
        return 2 + key.Length + payload.Length;
    }
}
