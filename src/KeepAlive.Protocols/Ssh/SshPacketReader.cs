namespace KeepAlive.Protocols.Ssh;

/// <summary>Finds packets in a stream of bytes, decrypts and checks them. Holds one packet at most.</summary>
/// <remarks>
/// RFC 4253 section 6; everything but the MAC is encrypted, with "-etm" and GCM all but the length:
/// <code>
///    4 bytes         1 byte           length - padding - 1   padding >= 4    tag
///   +---------------+----------------+----------------------+---------------+-------+
///   | packet length | padding length | payload              | random        | MAC   |
///   +---------------+----------------+----------------------+---------------+-------+
///                   |&lt;------------- packet length ------------------------->|
/// </code>
/// </remarks>
internal sealed class SshPacketReader : IDisposable
{
    /// <summary>Longest packet: what RFC 4253 section 6.1 demands of everybody, and our channels never invite more.</summary>
    public const int PacketBytesMax = 35_000;

    // Kept from one packet to the next; a larger buffer goes when its packet is done.
    private const int IdleBytes = 256;

    private SshProtection _protection = new SshClear();
    private byte[] _packet = new byte[IdleBytes];
    private int _have;
    private int _whole; // length of the packet with its tag; 0 before its head is here
    private uint _sequence;

    /// <summary>Bytes opened by the keys in use.</summary>
    public long BytesUnderKey { get; private set; }

    /// <summary>The number of the last packet read.</summary>
    public uint LastSequence => unchecked(_sequence - 1);

    /// <summary>Takes bytes until a packet is whole.</summary>
    /// <param name="bytes">What came; what is left behind the packet afterwards.</param>
    /// <param name="payload">The packet's payload, valid until the next call; empty when more must come.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public SshFault? Read(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (_whole == 0)
        {
            if (!Fill(ref bytes, _protection.HeadBytes)) return null;
            uint length = _protection.Length(_packet.AsSpan(0, _protection.HeadBytes));
            if (LengthFault(length) is { } fault) return fault;
            _whole = SshProtection.LengthBytes + (int)length + _protection.TagBytes;
        }

        if (!Fill(ref bytes, _whole)) return null;
        Span<byte> packet = _packet.AsSpan(0, _whole - _protection.TagBytes);
        if (!_protection.Open(_sequence, packet, _packet.AsSpan(packet.Length, _protection.TagBytes)))
            return new SshFault(SshReason.MacError, "a packet's MAC is wrong: the bytes are not the peer's");
        unchecked
        {
            _sequence++;
        }

        int padding = packet[SshProtection.LengthBytes], begin = SshProtection.LengthBytes + 1;
        if (padding < 4 || begin + padding >= packet.Length)
            return SshFault.Protocol($"a packet of {packet.Length - SshProtection.LengthBytes} bytes with a padding of {padding}: at least 4, and a payload, must fit");
        payload = packet[begin..^padding];
        BytesUnderKey += _whole;
        (_have, _whole) = (0, 0);
        return null;
    }

    /// <summary>From the next packet on: what follows the peer's NEWKEYS.</summary>
    public void Change(SshProtection protection, bool isNumberedAnew)
    {
        _protection.Dispose();
        (_protection, BytesUnderKey) = (protection, 0);
        if (isNumberedAnew) _sequence = 0;
    }

    public void Dispose() => _protection.Dispose();

    private SshFault? LengthFault(uint length)
    {
        int blocks = (int)(length % (uint)_protection.BlockBytes) + (_protection.IsLengthClear ? 0 : SshProtection.LengthBytes);
        if (length > PacketBytesMax) return SshFault.Protocol($"a packet of {length} bytes: at most {PacketBytesMax} are taken");
        // A payload's number, four bytes of padding and their length.
        if (length < 6 || blocks % _protection.BlockBytes != 0 || length + SshProtection.LengthBytes < _protection.HeadBytes)
            return SshFault.Protocol($"a packet of {length} bytes: not a whole number of blocks of {_protection.BlockBytes}");
        return null;
    }

    private bool Fill(ref ReadOnlySpan<byte> bytes, int until)
    {
        if (_have == 0 && _packet.Length > IdleBytes && until <= IdleBytes) _packet = new byte[IdleBytes];
        int take = Math.Min(until - _have, bytes.Length);
        // Grown by what came, not by what was announced: an announcement costs the peer nothing.
        if (_have + take > _packet.Length) Array.Resize(ref _packet, Math.Min(until, Math.Max(_have + take, 2 * _packet.Length)));
        bytes[..take].CopyTo(_packet.AsSpan(_have));
        bytes = bytes[take..];
        _have += take;
        return _have == until;
    }
}
