namespace KeepAlive.Protocols.Framing;

/// <summary>Where one direction of a framed protocol stands. While nothing is half-read it holds no memory.</summary>
internal struct FrameReader
{
    private byte[]? _held;
    private int _count;

    /// <summary>Bytes of the frame under way that are still to come.</summary>
    public long Left { get; set; }

    /// <summary>The frame under way goes nowhere.</summary>
    public bool IsSwallowing { get; set; }

    /// <summary>The first bytes of a frame, not passed on yet.</summary>
    public readonly ReadOnlySpan<byte> Held => _held.AsSpan(0, _count);

    /// <summary>Nothing is half-read.</summary>
    public readonly bool IsBetween => _count == 0 && Left == 0;

    /// <summary>Keeps bytes back.</summary>
    public void Hold(ReadOnlySpan<byte> bytes)
    {
        const int FirstBytes = 64;
        if (_held is null || _held.Length < _count + bytes.Length) Array.Resize(ref _held, Math.Max(FirstBytes, 2 * (_count + bytes.Length)));
        bytes.CopyTo(_held.AsSpan(_count));
        _count += bytes.Length;
    }

    /// <summary>What is held with these bytes behind it; nothing is held any more.</summary>
    public ReadOnlySpan<byte> Join(ReadOnlySpan<byte> bytes)
    {
        if (_count == 0) return bytes;
        Hold(bytes);
        ReadOnlySpan<byte> all = Held;
        (_held, _count) = (null, 0);
        return all;
    }
}
