namespace KeepAlive.Paths.Catalogue;

/// <summary>
/// How much of a binding's timeout a policy leaves: silence from the last segment that passed to the next that does, when
/// probes are lost on the way.
/// </summary>
/// <remarks>
/// <code>
/// last answer        probe 1    probe 2    probe 3              (the first after idle, the next an interval apart)
///     |-----idle--------|-interval-|-interval-|
///     |--------------- timeout ---------------------|           two may be lost: the third comes in time
/// </code>
/// A probe that is lost behind the middlebox has refreshed it, but nobody knows where on the path it stands, and some count
/// one direction only: an unanswered probe is taken for one that did nothing.
/// </remarks>
internal static class BindingMargin
{
    // Linux's timer wheel rounds a timer up by at most an eighth of its time (kernel/time/timer.c, the table of levels).
    private const int LateParts = 8;

    /// <summary>Consecutive probes or answers that may be lost, 0 to count - 1; null when even the first probe comes too late.</summary>
    /// <param name="policy">Whose probes; the interval takes idle's place where it is longer.</param>
    /// <param name="timeout">Silence after which the binding is forgotten.</param>
    public static int? LostProbes(KeepAlivePolicy policy, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(policy);
        long first = Late(Math.Max(policy.Idle.Ticks, policy.Interval.Ticks)), interval = Late(policy.Interval.Ticks);
        if (first >= timeout.Ticks) return null;
        // The greatest n with first + n × interval < timeout; after count losses the flow is given up.
        return (int)Math.Min(policy.Count - 1, (timeout.Ticks - first - 1) / interval);
    }

    /// <summary>The latest that a kernel's timer of this time fires.</summary>
    public static TimeSpan Latest(TimeSpan timer) => new(Late(timer.Ticks));

    private static long Late(long ticks) => ticks + (ticks / LateParts);
}
