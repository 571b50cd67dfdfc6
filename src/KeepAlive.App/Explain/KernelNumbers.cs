using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>A policy in whole seconds, as kernels and most settings count, with what rounding changed.</summary>
internal sealed record KernelNumbers(long Idle, int Count, long Interval, string? Rounded)
{
    public long Detection => Idle + (Count * Interval);

    /// <summary>Idle is rounded down, so that no refresh comes later than asked; the interval up, so that no answer gets less time.</summary>
    public static KernelNumbers Of(KeepAlivePolicy policy)
    {
        long idle = Math.Max(1, (long)policy.Idle.TotalSeconds), interval = (long)Math.Ceiling(policy.Interval.TotalSeconds);
        bool same = policy.Idle == TimeSpan.FromSeconds(idle) && policy.Interval == TimeSpan.FromSeconds(interval);
        return new KernelNumbers(idle, policy.Count, interval, same ? null
            : string.Create(CultureInfo.InvariantCulture, $"rounded to whole seconds: idle {Duration.Format(policy.Idle)} to {idle}s, interval {Duration.Format(policy.Interval)} to {interval}s"));
    }
}
