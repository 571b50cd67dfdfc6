using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>AES in Galois/Counter Mode: RFC 5647, under the names of OpenSSH (PROTOCOL, section 1.6).</summary>
internal sealed class SshGcm : SshProtection
{
    private const int Tag = 16;
    private const int FixedBytes = 4;

    private readonly AesGcm _aes;
    private readonly byte[] _nonce;

    public SshGcm(byte[] key, byte[] nonce) => (_aes, _nonce) = (new AesGcm(key, Tag), nonce);

    public override int BlockBytes => 16;

    public override int TagBytes => Tag;

    public override bool IsLengthClear => true;

    public override bool Open(uint sequence, Span<byte> packet, ReadOnlySpan<byte> tag)
    {
        Span<byte> body = packet[LengthBytes..];
        try
        {
            _aes.Decrypt(_nonce, body, tag, body, packet[..LengthBytes]); // compares the tag in constant time
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        Count();
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet, Span<byte> tag)
    {
        Span<byte> body = packet[LengthBytes..];
        _aes.Encrypt(_nonce, body, body, tag, packet[..LengthBytes]);
        Count();
    }

    public override void Dispose() => _aes.Dispose();

    // RFC 5647 section 7.1: four fixed bytes, then a counter of 64 bits, whose start the exchange of keys gives.
    private void Count()
    {
        Span<byte> counter = _nonce.AsSpan(FixedBytes);
        BinaryPrimitives.WriteUInt64BigEndian(counter, unchecked(BinaryPrimitives.ReadUInt64BigEndian(counter) + 1));
    }
}
