using System.Globalization;

namespace KeepAlive.Protocols.Http;

/// <summary>Where a body stands that passes by (RFC 9112 sections 6 and 7).</summary>
/// <remarks>
/// <code>
/// 1a;name=value CR LF  26 bytes CR LF  ...  0 CR LF  trailer fields  CR LF      chunked
/// </code>
/// </remarks>
internal struct HttpBody
{
    private const int LineBytesMax = 4096;
    private const int SizeDigitsMax = 15;

    private Part _part;
    private long _left;
    private int _lineBytes;
    private bool _isSizeOver;
    private byte _before;

    private enum Part : byte
    {
        Over,
        Counted,
        UntilEnd,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailers,
    }

    /// <summary>So many bytes; 0 for none.</summary>
    public static HttpBody Of(long bytes) => new() { _part = bytes > 0 ? Part.Counted : Part.Over, _left = bytes };

    /// <summary>Chunks.</summary>
    public static HttpBody Chunked => new() { _part = Part.ChunkSize };

    /// <summary>All that comes until the connection ends.</summary>
    public static HttpBody UntilEnd => new() { _part = Part.UntilEnd };

    /// <summary>As a head tells; null when that is not certain: both fields at once, or several lengths, are how requests are smuggled.</summary>
    public static HttpBody? Of(HttpHead head, HttpBody otherwise)
    {
        string? coding = head.Field("Transfer-Encoding"), length = head.Field("Content-Length");
        if (!head.IsSound || (coding is not null && length is not null)) return null;
        if (coding is not null) return coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) ? Chunked : null;
        if (length is null) return otherwise;
        return long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? Of(bytes) : null;
    }

    /// <summary>Nothing of it is to come.</summary>
    public readonly bool IsOver => _part == Part.Over;

    /// <summary>Its length was told beforehand.</summary>
    public readonly bool IsCounted => _part == Part.Counted;

    /// <summary>In chunks.</summary>
    public readonly bool IsChunked => _part >= Part.ChunkSize;

    /// <summary>Bytes may be put in here: between two chunks, or anywhere where there are none.</summary>
    public readonly bool IsBetween => _part == Part.UntilEnd || (_part == Part.ChunkSize && _lineBytes == 0);

    /// <summary>The last byte of its content so far; null for none.</summary>
    public byte? Last { get; private set; }

    /// <summary>Takes what belongs to it.</summary>
    /// <param name="bytes">One byte at least.</param>
    /// <param name="doubt">Why this is no such body; null when it is.</param>
    /// <returns>How many of the bytes.</returns>
    public int Take(ReadOnlySpan<byte> bytes, out string? doubt)
    {
        int taken = 0;
        doubt = null;
        while (taken < bytes.Length && !IsOver && doubt is null)
        {
            if (_part is Part.Counted or Part.ChunkData or Part.UntilEnd)
            {
                taken += TakeContent(bytes[taken..]);
                continue;
            }

            doubt = ++_lineBytes > LineBytesMax ? "a chunk's line of over 4 KB" : _part switch
            {
                Part.ChunkSize => TakeSize(bytes[taken]),
                Part.ChunkEnd => TakeChunkEnd(bytes[taken]),
                _ => TakeTrailer(bytes[taken]),
            };
            _before = bytes[taken++];
        }

        return taken;
    }

    private int TakeContent(ReadOnlySpan<byte> bytes)
    {
        int count = _part == Part.UntilEnd ? bytes.Length : (int)Math.Min(bytes.Length, _left);
        Last = bytes[count - 1];
        if (_part == Part.UntilEnd) return count;
        _left -= count;
        if (_left == 0) (_part, _lineBytes) = (_part == Part.ChunkData ? Part.ChunkEnd : Part.Over, 0);
        return count;
    }

    // Digits of base 16, and what else the line may hold: extensions, which mean nothing to us.
    private string? TakeSize(byte b)
    {
        if (b == '\n')
        {
            if (_before != '\r' || _lineBytes < 3) return "a chunk without a size";
            (_part, _lineBytes, _isSizeOver) = (_left > 0 ? Part.ChunkData : Part.Trailers, 0, false);
            return null;
        }

        if (_lineBytes == 1) _left = 0;
        if (char.IsAsciiHexDigit((char)b) && !_isSizeOver)
        {
            _left = (_left * 16) + Convert.ToInt32($"{(char)b}", 16);
            return _lineBytes > SizeDigitsMax ? "a chunk that is too large" : null;
        }

        if (_lineBytes == 1 || (!_isSizeOver && b is not ((byte)';' or (byte)'\r' or (byte)' ' or (byte)'\t'))) return "a chunk without a size";
        _isSizeOver = true;
        return null;
    }

    private string? TakeChunkEnd(byte b)
    {
        if (b != (_lineBytes == 1 ? '\r' : '\n')) return "a chunk that is longer than it said";
        if (_lineBytes == 2) (_part, _lineBytes) = (Part.ChunkSize, 0);
        return null;
    }

    // Fields, up to an empty line.
    private string? TakeTrailer(byte b)
    {
        if (b != '\n') return null;
        if (_lineBytes == 1 || (_lineBytes == 2 && _before == '\r')) _part = Part.Over;
        _lineBytes = 0;
        return null;
    }
}
