namespace KeepAlive.Paths.Measure;

/// <summary>How far and how fine to measure.</summary>
internal sealed record MeasureOptions
{
    /// <summary>The shortest timeout that is found: lanes that test refreshing send once a second, and must be well below it.</summary>
    public static readonly TimeSpan Min = TimeSpan.FromSeconds(3);

    /// <summary>How often lanes that test refreshing send: the least that Linux's kernel keepalive can.</summary>
    public static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(1);

    /// <summary>The longest silence tried, 10 s to 2 d. Default 10 min.</summary>
    public TimeSpan Max { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two connections. Default 10 ms: a hundred a second are no burst to any middlebox.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(10);

    // The first rung that is lost is at most this much above the timeout, which is most of what the first round takes longer than it;
    // with fewer rungs than LanesMax leaves room for.
    internal const double RatioMin = 1.05;
    internal const int RungsMax = 170;

    /// <summary>Connections of a whole measurement are fewer than this, the one for control included.</summary>
    public const int ConnectionsMax = 200;

    /// <summary>The silences of the first round.</summary>
    internal IEnumerable<TimeSpan> Ladder()
    {
        double ratio = Math.Max(RatioMin, Math.Pow(Max / Min, 1.0 / RungsMax));
        for (TimeSpan rung = Min; rung < Max; rung *= ratio) yield return Whole(rung);
        yield return Max;
    }

    // The protocol counts milliseconds.
    internal static TimeSpan Whole(TimeSpan time) => TimeSpan.FromMilliseconds(Math.Round(time.TotalMilliseconds));
}
