using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>A policy as a kernel or product counts, with what that changed.</summary>
/// <param name="Asked">The policy.</param>
/// <param name="Idle">In the unit of the limits.</param>
/// <param name="Count">Probes.</param>
/// <param name="Interval">In the unit of the limits.</param>
/// <param name="Limits">How it counts.</param>
internal sealed record KernelNumbers(KeepAlivePolicy Asked, long Idle, int Count, long Interval, KernelLimits Limits)
{
    /// <summary>Idle is rounded down, so that no refresh comes later than asked; the interval up, so that no answer gets less time.</summary>
    public static KernelNumbers Of(KeepAlivePolicy policy, KernelLimits limits)
    {
        long most = limits.TimeMax.Ticks / limits.Unit.Ticks;
        long idle = Math.Clamp(policy.Idle.Ticks / limits.Unit.Ticks, 1, most);
        long interval = Math.Clamp((policy.Interval.Ticks + limits.Unit.Ticks - 1) / limits.Unit.Ticks, 1, most);
        return new KernelNumbers(policy, idle, Math.Min(policy.Count, limits.CountMax), interval, limits);
    }

    public TimeSpan IdleTime => Idle * Limits.Unit;

    public TimeSpan IntervalTime => Interval * Limits.Unit;

    public TimeSpan DetectionTime => IdleTime + (Count * IntervalTime);

    /// <summary>
    /// How long data may stay unacknowledged: the detection time; null where the kernel's own limit is sooner, which a
    /// user timeout would replace (<see cref="UserTimeout.DerivedMax"/>).
    /// </summary>
    public TimeSpan? UserTimeout => DetectionTime <= KeepAlive.UserTimeout.DerivedMax ? DetectionTime : null;

    /// <summary>What is not as asked, a line each.</summary>
    public IEnumerable<string> Notes()
    {
        if (IdleTime != Asked.Idle) yield return Changed("idle", Duration.Format(Asked.Idle), Duration.Format(IdleTime), Asked.Idle > Limits.TimeMax);
        if (Count != Asked.Count) yield return Changed("count", $"{Asked.Count}", $"{Count}", true);
        if (IntervalTime != Asked.Interval) yield return Changed("interval", Duration.Format(Asked.Interval), Duration.Format(IntervalTime), Asked.Interval > Limits.TimeMax);
    }

    private string Changed(string what, string asked, string here, bool isTooMuch) =>
        $"{what} {here}, not {asked}: " + (isTooMuch ? $"the most {Limits.Whose} takes" : $"whole {Limits.UnitName} only");
}
