namespace KeepAlive.Protocols.Ldap;

/// <summary>Just enough of BER (X.690) for LDAP: tags of one byte, definite lengths (RFC 4511 section 5.1).</summary>
internal static class Ber
{
    // A length of up to four bytes behind the first: 81 to 84. Windows clients write 84 for any.
    private const int LengthBytesMax = 4;

    /// <summary>Reads a tag and a length.</summary>
    /// <param name="bytes">Where they are; what follows the header when true.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="length">The length of the value.</param>
    /// <returns>False when they are not all here; a length that LDAP does not allow is -1.</returns>
    public static bool TryReadHeader(ref ReadOnlySpan<byte> bytes, out byte tag, out long length)
    {
        (tag, length) = (0, 0);
        if (bytes.Length < 2) return false;
        tag = bytes[0];
        int first = bytes[1], more = first < 0x80 ? 0 : first & 0x7F;
        if (first >= 0x80 && more is 0 or > LengthBytesMax)
        {
            length = -1;
            return true;
        }

        if (bytes.Length < 2 + more) return false;
        length = first < 0x80 ? first : 0;
        foreach (byte b in bytes.Slice(2, more)) length = (length << 8) | b;
        bytes = bytes[(2 + more)..];
        return true;
    }

    /// <summary>Reads a value with this tag that is all here.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> bytes, byte expected, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadHeader(ref bytes, out byte tag, out long length) || tag != expected || length < 0 || length > bytes.Length) return false;
        value = bytes[..(int)length];
        bytes = bytes[(int)length..];
        return true;
    }

    /// <summary>Reads a number of 0 or more in at most four bytes, with this tag.</summary>
    public static bool TryReadNumber(ref ReadOnlySpan<byte> bytes, byte expected, out int number)
    {
        number = 0;
        if (!TryRead(ref bytes, expected, out ReadOnlySpan<byte> value) || value.Length is 0 or > 4 || value[0] >= 0x80) return false;
        foreach (byte b in value) number = (number << 8) | b;
        return true;
    }
}
