using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Paths.Catalogue;

/// <summary>The cheapest policy that meets a demand: the fewest probes a day; or why there is none.</summary>
/// <remarks>
/// <para>
/// Searched: whole seconds, as kernels count; intervals of at least <see cref="IntervalMin"/>; idle not below the interval,
/// since the interval would take its place. Probes a day depend on idle alone, so the longest idle that works is the
/// cheapest. For a given idle as few probes as the loss allows are best, as each more takes from the detection time; and the
/// shortest interval decides whether it works, as each second more takes from both limits. Of the time then left over the
/// interval gets what it can take, up to Linux's default of 75 s: it is the time an answer has.
/// </para>
/// </remarks>
internal sealed record PolicyChoice
{
    /// <summary>Linux's greatest idle (tcp(7)); others take more.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(32767);

    /// <summary>
    /// The least interval that is chosen. What loses one segment (a full queue, a route that changes) often loses the next as
    /// well, and the reckoning takes losses for independent; closer than this they are not.
    /// </summary>
    public static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(5);

    /// <summary>Linux's greatest count (tcp(7)).</summary>
    public const int CountMax = 127;

    private PolicyChoice(KeepAlivePolicy? policy, string? whyNone) => (Policy, WhyNone) = (policy, whyNone);

    /// <summary>The policy; null when there is none.</summary>
    public KeepAlivePolicy? Policy { get; }

    /// <summary>Why there is none; null when there is one.</summary>
    public string? WhyNone { get; }

    /// <summary>Searches.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The loss is not 0 to 1.</exception>
    public static PolicyChoice For(PolicyDemand demand)
    {
        ArgumentNullException.ThrowIfNull(demand);
        if (demand.Loss is not (>= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(demand), demand.Loss, "loss is 0 to 1, 1 excluded");
        for (long idle = (long)IdleMax.TotalSeconds; idle >= (long)IntervalMin.TotalSeconds; idle--)
        {
            var first = TimeSpan.FromSeconds(idle);
            if (Count(first, demand) is { } count && new KeepAlivePolicy(first, count, IntervalMin) is var tight && demand.IsMetBy(tight))
                return new PolicyChoice(Widened(tight, demand), null);
        }

        return new PolicyChoice(null, Reason(demand));
    }

    // The fewest probes in a row that all stay unanswered rarely enough, by the definition of the bound.
    private static int? Count(TimeSpan idle, PolicyDemand demand)
    {
        double rounds = PolicyDemand.Rounds(new KeepAlivePolicy(idle, 1, IntervalMin));
        bool isRare(int count) => rounds * Math.Pow(demand.Unanswered, count) <= PolicyDemand.EndingsPerYearMax;
        // The logarithm says which, and may be off by one.
        double about = demand.Unanswered == 0 ? 1 : Math.Log(PolicyDemand.EndingsPerYearMax / rounds) / Math.Log(demand.Unanswered);
        int count = (int)Math.Clamp(about, 1, CountMax);
        while (count > 1 && isRare(count - 1)) count--;
        while (count <= CountMax && !isRare(count)) count++;
        return count <= CountMax ? count : null;
    }

    private static KeepAlivePolicy Widened(KeepAlivePolicy tight, PolicyDemand demand)
    {
        KeepAlivePolicy best = tight;
        TimeSpan most = tight.Idle < KeepAlivePolicy.Default.Interval ? tight.Idle : KeepAlivePolicy.Default.Interval;
        for (TimeSpan interval = tight.Interval + TimeSpan.FromSeconds(1); interval <= most; interval += TimeSpan.FromSeconds(1))
        {
            var wider = new KeepAlivePolicy(tight.Idle, tight.Count, interval);
            if (!demand.IsMetBy(wider)) break;
            best = wider;
        }

        return best;
    }

    // The policy with the shortest times that the loss allows fails: at what?
    private static string Reason(PolicyDemand demand)
    {
        string loss = demand.Loss.ToString("0.####%", CultureInfo.InvariantCulture);
        KeepAlivePolicy? easiest = Enumerable.Range((int)IntervalMin.TotalSeconds, (int)IdleMax.TotalSeconds)
            .Select(idle => TimeSpan.FromSeconds(idle)).Where(idle => idle <= IdleMax)
            .Select(idle => Count(idle, demand) is { } count ? new KeepAlivePolicy(idle, count, IntervalMin) : null)
            .OfType<KeepAlivePolicy>().MinBy(PolicyDemand.LatestVerdict);
        if (easiest is null) return $"with {loss} of the segments lost, {CountMax} probes in a row are not enough";
        string probes = $"with {loss} of the segments lost it takes {easiest.Count} {(easiest.Count == 1 ? "probe" : "probes in a row")}, at least {Duration.Format(IntervalMin)} apart,";
        if (demand.Detection is { } most && PolicyDemand.LatestVerdict(easiest) > most)
            return $"{probes} to tell a dead peer from losses: {Duration.Format(PolicyDemand.LatestVerdict(easiest))}, more than {Duration.Format(most)}";
        return $"{probes} to refresh a binding in spite of losses: more than {Duration.Format(demand.Timeout)}, with the eighth that a kernel's timer may be late";
    }
}
