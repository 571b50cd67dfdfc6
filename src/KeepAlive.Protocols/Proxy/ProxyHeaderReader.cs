using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Protocols.Proxy;

/// <summary>Reads a PROXY header, of either version. It never throws, whatever the bytes.</summary>
/// <remarks>
/// <code>
/// PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 CR LF          version 1: 107 bytes at most
/// PROXY UNKNOWN anything CR LF
///
///  0                12        13     14       16               version 2
/// | 0D0A0D0A000D0A51 | 2 | cmd | fam  | length | addresses | TLVs |
/// |  555 1 49540A    |   0 LOCAL, 1 PROXY   11: TCP over IPv4, 12 bytes; 21: over IPv6, 36 bytes
/// </code>
/// </remarks>
internal static class ProxyHeaderReader
{
    /// <summary>The longest header: version 2 with 2 KiB of what proxies add (TLVs), which are skipped. Version 1 has 107 bytes at most.</summary>
    public const int BytesMax = V2FixedBytes + 2048;

    internal const int V1BytesMax = 107;
    internal const int V2FixedBytes = 16;

    private const int V4AddressBytes = 12;
    private const int V6AddressBytes = 36;
    private const int TextWords = 6;

    internal static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    internal static ReadOnlySpan<byte> V1Signature => "PROXY "u8;

    /// <summary>Reads a header from the first byte on.</summary>
    /// <param name="bytes">What came so far.</param>
    /// <param name="header">The header; a header without addresses unless it is whole.</param>
    /// <param name="length">How many bytes it has; 0 unless it is whole.</param>
    /// <param name="fault">Why it is malformed; null otherwise.</param>
    public static ProxyHeaderState Read(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length, out string? fault)
    {
        (header, length) = (new ProxyHeader(null, null), 0);
        if (Begins(bytes, V1Signature)) return ReadText(bytes, ref header, out length, out fault);
        if (Begins(bytes, V2Signature)) return ReadBinary(bytes, ref header, out length, out fault);
        fault = "it does not begin with one";
        return ProxyHeaderState.Malformed;
    }

    // As far as there are bytes; of none it is not known yet.
    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature) =>
        bytes.Length < signature.Length ? signature.StartsWith(bytes) : bytes.StartsWith(signature);

    private static ProxyHeaderState ReadText(ReadOnlySpan<byte> bytes, ref ProxyHeader header, out int length, out string? fault)
    {
        (length, fault) = (0, null);
        int end = bytes[..Math.Min(bytes.Length, V1BytesMax)].IndexOf("\r\n"u8);
        if (end < 0 && bytes.Length < V1BytesMax) return ProxyHeaderState.NeedMore;
        if (end < 0) return Malformed($"its line has no end within {V1BytesMax} bytes", out fault);
        ReadOnlySpan<byte> line = bytes[..end];
        if (line.SequenceEqual("PROXY UNKNOWN"u8) || line.StartsWith("PROXY UNKNOWN "u8))
        {
            length = end + 2;
            return ProxyHeaderState.Whole;
        }

        string[] words = Encoding.Latin1.GetString(line).Split(' ');
        if (words.Length != TextWords) return Malformed("its line has not six words", out fault);
        AddressFamily family = words[1] switch { "TCP4" => AddressFamily.InterNetwork, "TCP6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unknown };
        if (!TryReadEnd(words[2], words[4], family, out IPEndPoint? source) || !TryReadEnd(words[3], words[5], family, out IPEndPoint? destination))
            return Malformed("its line has not the addresses and ports it should have", out fault);
        header = new ProxyHeader(source, destination);
        length = end + 2;
        return ProxyHeaderState.Whole;
    }

    private static ProxyHeaderState ReadBinary(ReadOnlySpan<byte> bytes, ref ProxyHeader header, out int length, out string? fault)
    {
        (length, fault) = (0, null);
        if (bytes.Length < V2FixedBytes) return ProxyHeaderState.NeedMore;
        byte command = bytes[12], family = bytes[13];
        int more = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (command is not (0x20 or 0x21)) return Malformed("its version and command are not known", out fault);
        if (family >> 4 > 3 || (family & 15) > 2) return Malformed("its kind of address is not known", out fault);
        if (V2FixedBytes + more > BytesMax) return Malformed($"it is longer than {BytesMax} bytes", out fault);
        // Whoever speaks for itself (LOCAL), or for what is no TCP connection, is served by its own address.
        int addresses = command == 0x20 ? 0 : family switch { 0x11 => V4AddressBytes, 0x21 => V6AddressBytes, _ => 0 };
        if (more < addresses) return Malformed("it is too short for its addresses", out fault);
        if (bytes.Length < V2FixedBytes + more) return ProxyHeaderState.NeedMore;
        if (addresses > 0)
        {
            ReadOnlySpan<byte> at = bytes.Slice(V2FixedBytes, addresses);
            int size = (addresses - 4) / 2;
            header = new ProxyHeader(
                new IPEndPoint(new IPAddress(at[..size]), BinaryPrimitives.ReadUInt16BigEndian(at[(2 * size)..])),
                new IPEndPoint(new IPAddress(at[size..(2 * size)]), BinaryPrimitives.ReadUInt16BigEndian(at[((2 * size) + 2)..])));
        }

        length = V2FixedBytes + more;
        return ProxyHeaderState.Whole;
    }

    private static bool TryReadEnd(string addressText, string portText, AddressFamily family, out IPEndPoint? end)
    {
        end = null;
        if (!IPAddress.TryParse(addressText, out IPAddress? address) || address.AddressFamily != family || addressText.AsSpan().ContainsAny('%', '[')) return false;
        // inet_aton reads 127.1, too: here such text is a fault.
        if (family == AddressFamily.InterNetwork && address.ToString() != addressText) return false;
        if (portText.Length > 1 && portText[0] == '0') return false;
        if (!ushort.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)) return false;
        end = new IPEndPoint(address, port);
        return true;
    }

    private static ProxyHeaderState Malformed(string why, out string? fault)
    {
        fault = why;
        return ProxyHeaderState.Malformed;
    }
}
