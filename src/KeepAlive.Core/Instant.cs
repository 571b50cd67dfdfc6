namespace KeepAlive.Core;

/// <summary>
/// A point on a monotonic clock, in ticks of 100 ns since an origin the clock's owner chose.
/// Only differences mean anything; wall-clock time is never involved.
/// </summary>
internal readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    /// <summary>The clock's origin; also "never" for a fact that has not happened yet.</summary>
    public static readonly Instant Zero;

    /// <summary>A deadline that never comes.</summary>
    public static readonly Instant Never = new(long.MaxValue);

    /// <summary>The later point; <see cref="Never"/> when the sum does not fit.</summary>
    public static Instant operator +(Instant at, TimeSpan span)
    {
        long sum = at.Ticks + span.Ticks;
        return span.Ticks > 0 && sum < at.Ticks ? Never : new Instant(sum);
    }

    /// <summary>The time from <paramref name="earlier"/> to <paramref name="later"/>.</summary>
    public static TimeSpan operator -(Instant later, Instant earlier) => new(later.Ticks - earlier.Ticks);

    /// <summary>Earlier than.</summary>
    public static bool operator <(Instant a, Instant b) => a.Ticks < b.Ticks;

    /// <summary>Later than.</summary>
    public static bool operator >(Instant a, Instant b) => a.Ticks > b.Ticks;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Instant a, Instant b) => a.Ticks <= b.Ticks;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Instant a, Instant b) => a.Ticks >= b.Ticks;

    /// <summary>The later of the two.</summary>
    public static Instant Max(Instant a, Instant b) => a.Ticks >= b.Ticks ? a : b;

    /// <summary>The earlier of the two.</summary>
    public static Instant Min(Instant a, Instant b) => a.Ticks <= b.Ticks ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);

    /// <summary>Seconds since the clock's origin, for traces.</summary>
    public override string ToString() =>
        this == Never ? "never" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Ticks / 1e7:0.###}s");
}
