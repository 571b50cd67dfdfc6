using System.Buffers.Binary;
using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>
/// Reads the data types of RFC 4251 section 5. Never throws: past the end everything is empty, and <see cref="IsShort"/> says so for good.
/// </summary>
internal ref struct SshReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _left = bytes;

    /// <summary>Something was asked for that the message does not hold.</summary>
    public bool IsShort { get; private set; }

    public readonly bool IsAtEnd => _left.IsEmpty;

    public byte Byte() => Take(1) is [byte value] ? value : (byte)0;

    public bool Flag() => Byte() != 0;

    public uint Number() => Take(4) is { IsEmpty: false } four ? BinaryPrimitives.ReadUInt32BigEndian(four) : 0;

    /// <summary>A string's bytes.</summary>
    public ReadOnlySpan<byte> Text() => Take(Number());

    /// <summary>A string as text, for names and for people.</summary>
    public string Name() => Encoding.UTF8.GetString(Text());

    /// <summary>A name-list.</summary>
    public string[] Names() => Text() is { IsEmpty: false } text ? Encoding.ASCII.GetString(text).Split(',') : [];

    /// <summary>The magnitude of an mpint; one that is negative has none here, and is taken for a fault.</summary>
    public ReadOnlySpan<byte> Integer()
    {
        ReadOnlySpan<byte> bytes = Text();
        if (bytes.IsEmpty || bytes[0] < 0x80) return bytes.TrimStart((byte)0);
        IsShort = true;
        return default;
    }

    public ReadOnlySpan<byte> Take(uint count)
    {
        if (IsShort || count > _left.Length)
        {
            IsShort = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _left[..(int)count];
        _left = _left[(int)count..];
        return taken;
    }
}
