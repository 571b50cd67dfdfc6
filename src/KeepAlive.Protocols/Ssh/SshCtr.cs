using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>AES in counter mode (RFC 4344 section 4) with an HMAC of SHA-2 (RFC 6668), over the plain packet or, "-etm", the encrypted one.</summary>
/// <remarks>
/// The base class library has no counter mode: here it is that of NIST SP 800-38A section 6.5, built on the library's block cipher. The
/// counter's blocks are encrypted by it, and what comes out is added to the bytes; nothing of the cipher is done here.
/// </remarks>
internal sealed class SshCtr : SshProtection
{
    private const int Block = 16;

    // The stream is made so many blocks at a time: an idle session's packets take one or two.
    private const int BlocksMax = 64;

    private readonly Aes _aes;
    private readonly IncrementalHash _mac;
    private readonly byte[] _counter;
    private readonly bool _isEtm;
    private readonly byte[] _stream = new byte[BlocksMax * Block];
    private readonly byte[] _counters = new byte[BlocksMax * Block];

    public SshCtr(byte[] key, byte[] counter, HashAlgorithmName hash, byte[] macKey, bool isEtm)
    {
        _aes = Aes.Create();
        _aes.Key = key;
        _mac = IncrementalHash.CreateHMAC(hash, macKey);
        (_counter, _isEtm) = (counter, isEtm);
    }

    public override int BlockBytes => Block;

    public override int TagBytes => _mac.HashLengthInBytes;

    public override bool IsLengthClear => _isEtm;

    public override uint Length(Span<byte> head)
    {
        if (!_isEtm) Apply(head);
        return base.Length(head);
    }

    public override bool Open(uint sequence, Span<byte> packet, ReadOnlySpan<byte> tag)
    {
        if (!_isEtm) Apply(packet[HeadBytes..]);
        Span<byte> expected = stackalloc byte[TagBytes];
        Compute(sequence, packet, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, tag)) return false;
        if (_isEtm) Apply(packet[LengthBytes..]);
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet, Span<byte> tag)
    {
        if (_isEtm) Apply(packet[LengthBytes..]);
        Compute(sequence, packet, tag);
        if (!_isEtm) Apply(packet);
    }

    public override void Dispose()
    {
        _aes.Dispose();
        _mac.Dispose();
    }

    private void Compute(uint sequence, ReadOnlySpan<byte> packet, Span<byte> tag)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(number, sequence);
        _mac.AppendData(number);
        _mac.AppendData(packet);
        _mac.GetHashAndReset(tag);
    }

    // Whole blocks always: the packets are multiples of them.
    private void Apply(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int part = Math.Min(bytes.Length, _stream.Length);
            for (int at = 0; at < part; at += Block)
            {
                _counter.CopyTo(_counters, at);
                Count();
            }

            _aes.EncryptEcb(_counters.AsSpan(0, part), _stream, PaddingMode.None);
            for (int i = 0; i < part; i++) bytes[i] ^= _stream[i];
            bytes = bytes[part..];
        }
    }

    private void Count()
    {
        for (int i = _counter.Length - 1; i >= 0 && ++_counter[i] == 0; i--)
        {
        }
    }
}
