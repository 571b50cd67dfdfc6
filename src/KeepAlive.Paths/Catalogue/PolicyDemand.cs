namespace KeepAlive.Paths.Catalogue;

/// <summary>What a policy has to do on a path.</summary>
/// <param name="Timeout">The shortest binding timeout on the way.</param>
/// <param name="Detection">A dead peer is found within this time; null where it does not matter.</param>
/// <param name="Loss">Part of the segments that is lost, each way: 0 to 1, 1 excluded.</param>
internal sealed record PolicyDemand(TimeSpan Timeout, TimeSpan? Detection, double Loss)
{
    /// <summary>
    /// Most flows that losses may end wrongly, per flow and year: one in a hundred. A false death and a binding that expires
    /// both need losses in a row, so one bound holds both.
    /// </summary>
    public const double EndingsPerYearMax = 0.01;

    private static readonly TimeSpan Year = TimeSpan.FromDays(365.25);

    /// <summary>Chance that a probe stays unanswered: it or its answer is lost.</summary>
    public double Unanswered => 1 - ((1 - Loss) * (1 - Loss));

    /// <summary>
    /// Flows of such a policy that losses end wrongly, per flow and year: of the rounds of a year, one each idle time, those in
    /// which as many probes in a row stay unanswered as end the flow or let the binding expire, whichever are fewer.
    /// </summary>
    public double EndingsPerYear(KeepAlivePolicy policy) =>
        BindingMargin.LostProbes(policy, Timeout) is { } lost ? Rounds(policy) * Math.Pow(Unanswered, lost + 1) : double.PositiveInfinity;

    /// <summary>From the last sign of life to the verdict at the latest: the interval takes idle's place where it is longer.</summary>
    public static TimeSpan LatestVerdict(KeepAlivePolicy policy) =>
        policy.Interval > policy.Idle ? policy.Interval * (policy.Count + 1) : policy.DetectionTime;

    /// <summary>Whether the policy does all of it.</summary>
    public bool IsMetBy(KeepAlivePolicy policy) =>
        (Detection is not { } most || LatestVerdict(policy) <= most) && EndingsPerYear(policy) <= EndingsPerYearMax;

    /// <summary>Rounds of probing in a year.</summary>
    internal static double Rounds(KeepAlivePolicy policy) => Year / Round(policy);

    private static TimeSpan Round(KeepAlivePolicy policy) => policy.Idle > policy.Interval ? policy.Idle : policy.Interval;
}
