using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>Writes the data types of RFC 4251 section 5, one after the other.</summary>
internal sealed class SshWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(128);

    /// <summary>A message, which begins with its number.</summary>
    public static SshWriter Of(SshMessage message) => new SshWriter().Byte((byte)message);

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public SshWriter Byte(byte value) => Raw([value]);

    public SshWriter Flag(bool value) => Raw([value ? (byte)1 : (byte)0]);

    public SshWriter Number(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    /// <summary>A string: its length, then its bytes.</summary>
    public SshWriter Text(ReadOnlySpan<byte> value) => Number((uint)value.Length).Raw(value);

    public SshWriter Text(string value) => Text(Encoding.UTF8.GetBytes(value));

    public SshWriter Names(IEnumerable<string> names) => Text(string.Join(',', names));

    /// <summary>An mpint that is not negative, from its bytes, the greatest first.</summary>
    public SshWriter Integer(ReadOnlySpan<byte> magnitude)
    {
        magnitude = magnitude.TrimStart((byte)0);
        bool isSigned = !magnitude.IsEmpty && magnitude[0] >= 0x80; // would be read as negative
        Number((uint)(magnitude.Length + (isSigned ? 1 : 0)));
        return isSigned ? Byte(0).Raw(magnitude) : Raw(magnitude);
    }

    public SshWriter Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
