using System.Buffers.Binary;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.WebSocket;

/// <summary>The pings of one leg: ours, told by their payload, and the other end's own.</summary>
internal struct WebSocketPings(ulong nonce)
{
    //  0          8          16
    // +----------+----------+
    // | nonce    | counter  |   payload of ours, big endian
    // +----------+----------+
    private const int PayloadBytes = 16;
    private const int KeyBytes = 4;

    private readonly ulong _nonce = nonce;
    private ProbeNumbers _numbers;

    /// <summary>The other end has asked this leg's peer itself, and was not answered yet.</summary>
    public bool IsForeignOpen { get; set; }

    /// <summary>Writes the next one.</summary>
    public void Send(Leg towards, uint key, Instant now, Verdicts verdicts)
    {
        Span<byte> payload = stackalloc byte[PayloadBytes], mask = stackalloc byte[KeyBytes], frame = stackalloc byte[2 + KeyBytes + PayloadBytes];
        BinaryPrimitives.WriteUInt64BigEndian(payload, _nonce);
        BinaryPrimitives.WriteUInt64BigEndian(payload[8..], _numbers.Next(now));
        BinaryPrimitives.WriteUInt32BigEndian(mask, key);
        int length = WebSocketFrame.WritePing(payload, towards == Leg.Upstream ? mask : default, frame);
        verdicts.Send(towards, frame[..length]);
    }

    /// <summary>Whether a pong answers one of ours.</summary>
    /// <param name="payload">Its payload.</param>
    /// <param name="now">The time.</param>
    /// <param name="took">How long that took, when it is the last one's first answer.</param>
    public bool IsOurs(ReadOnlySpan<byte> payload, Instant now, out TimeSpan? took)
    {
        took = null;
        return payload.Length == PayloadBytes && BinaryPrimitives.ReadUInt64BigEndian(payload) == _nonce
            && _numbers.IsAnswered(BinaryPrimitives.ReadUInt64BigEndian(payload[8..]), now, out took);
    }
}
