using System.Buffers;
using System.Text;

namespace KeepAlive.Protocols.Http;

/// <summary>The head of an HTTP/1.1 message as it comes (RFC 9112 section 2.1): a start line and fields, up to the empty line.</summary>
internal sealed class HttpHead
{
    /// <summary>What nginx and Kestrel take by default.</summary>
    public const int BytesMax = 32 * 1024;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private string[] _lines = [];
    private bool _hasFolds;

    /// <summary>Whether the empty line was seen.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Nothing has come yet.</summary>
    public bool IsEmpty => _bytes.WrittenCount == 0;

    /// <summary>It is too long to be one.</summary>
    public bool IsTooLong => _bytes.WrittenCount > BytesMax;

    /// <summary>Without its line end; empty until it is whole.</summary>
    public string StartLine => _lines.Length > 0 ? _lines[0] : "";

    /// <summary>
    /// Every field is a name, a colon and a value in one line. What is not is read differently by different programs (RFC 9112
    /// sections 5.1 and 5.2).
    /// </summary>
    public bool IsSound => _lines.Skip(1).SkipLast(2).All(line => line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && line.AsSpan(0, colon).IndexOfAny(" \t") < 0) && !_hasFolds;

    /// <summary>Takes what belongs to it.</summary>
    /// <returns>How many of the bytes.</returns>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            _bytes.Write(bytes.Slice(i, 1));
            if (IsTooLong) return i + 1;
            if (bytes[i] != '\n' || !EndsEmpty()) continue;
            IsWhole = true;
            string text = Encoding.Latin1.GetString(_bytes.WrittenSpan);
            _hasFolds = text.Contains("\n ", StringComparison.Ordinal) || text.Contains("\n\t", StringComparison.Ordinal);
            _lines = text.Split('\n', StringSplitOptions.TrimEntries);
            return i + 1;
        }

        return bytes.Length;
    }

    /// <summary>All values of a field, joined as RFC 9110 section 5.3 joins them; null when it is not there.</summary>
    public string? Field(string name)
    {
        string[] values = [.. _lines.Skip(1)
            .Select(line => line.Split(':', 2))
            .Where(parts => parts.Length == 2 && parts[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(parts => parts[1].Trim())];
        return values.Length == 0 ? null : string.Join(", ", values);
    }

    /// <summary>Whether a comma-separated field has this element.</summary>
    public bool Has(string name, string element) =>
        Field(name)?.Split(',', StringSplitOptions.TrimEntries).Contains(element, StringComparer.OrdinalIgnoreCase) == true;

    // An empty line: LF LF, or LF CR LF; a bare LF ends a line too (RFC 9112 section 2.2).
    private bool EndsEmpty()
    {
        ReadOnlySpan<byte> all = _bytes.WrittenSpan[..^1];
        if (all is [.., (byte)'\r']) all = all[..^1];
        return all is [.., (byte)'\n'];
    }
}
