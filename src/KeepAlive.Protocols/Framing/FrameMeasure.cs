namespace KeepAlive.Protocols.Framing;

/// <summary>What the first bytes of a frame tell of it.</summary>
internal readonly record struct FrameMeasure
{
    private FrameMeasure(long bytes, bool isWhole, string? doubt) => (Bytes, IsWhole, Doubt) = (bytes, isWhole, doubt);

    /// <summary>They tell nothing yet: more of them are needed.</summary>
    public static FrameMeasure NeedsMore => default;

    /// <summary>Its length with all that belongs to it; 0 while that is not known.</summary>
    public long Bytes { get; }

    /// <summary>It is to be looked at in one piece.</summary>
    public bool IsWhole { get; }

    /// <summary>Why this is no frame at all; null when it is.</summary>
    public string? Doubt { get; }

    /// <summary>A frame of so many bytes, the first ones included; it may be passed on in pieces.</summary>
    public static FrameMeasure Of(long bytes) => new(bytes, false, null);

    /// <summary>A frame of so many bytes that is wanted in one piece: at most <see cref="FramedProtocol.HeldBytesMax"/>.</summary>
    public static FrameMeasure Whole(long bytes) => new(bytes, true, null);

    /// <summary>Not understood any more.</summary>
    public static FrameMeasure Doubtful(string why) => new(0, false, why);
}

/// <summary>What becomes of a frame.</summary>
internal enum FrameFate
{
    /// <summary>It goes on to the other end.</summary>
    Pass,

    /// <summary>It answers something of ours.</summary>
    Swallow,

    /// <summary>It waits, and all behind it, until <see cref="FramedProtocol.HoldUntil"/>; then it is asked about again.</summary>
    Hold,
}
