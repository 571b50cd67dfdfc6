using System.Buffers.Text;
using System.Text;

namespace KeepAlive.Protocols.Imap;

/// <summary>What stands in a line of IMAP's.</summary>
internal static class ImapLine
{
    /// <summary>The first two words, in capitals but the tag; empty where there are none.</summary>
    public static (string Tag, string Word) Read(ReadOnlySpan<byte> line)
    {
        int space = line.IndexOf((byte)' ');
        if (space < 0) return (Encoding.ASCII.GetString(line), "");
        ReadOnlySpan<byte> rest = line[(space + 1)..];
        int end = rest.IndexOfAny((byte)' ', (byte)'[');
        return (Encoding.ASCII.GetString(line[..space]), Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]).ToUpperInvariant());
    }

    /// <summary>The literal that a line ends with (RFC 9051 section 4.3): <c>{12}</c> is sent when asked for, <c>{12+}</c> at once.</summary>
    /// <param name="end">The line's last bytes.</param>
    /// <param name="isAtOnce">Nobody waits to be asked.</param>
    /// <returns>Its bytes; null for none.</returns>
    public static long? Literal(ReadOnlySpan<byte> end, out bool isAtOnce)
    {
        isAtOnce = false;
        int open = end.LastIndexOf((byte)'{');
        if (open < 0 || end[^1] != '}') return null;
        ReadOnlySpan<byte> number = end[(open + 1)..^1];
        isAtOnce = number is [.., (byte)'+'];
        if (isAtOnce) number = number[..^1];
        return Utf8Parser.TryParse(number, out long bytes, out int used) && used == number.Length && bytes >= 0 ? bytes : null;
    }
}
