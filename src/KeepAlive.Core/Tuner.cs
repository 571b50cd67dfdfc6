namespace KeepAlive.Core;

/// <summary>Which number a <see cref="Tuner"/> is working on.</summary>
public enum TunerPhase
{
    /// <summary>Lowering idle.</summary>
    Idle,

    /// <summary>Raising the count by one at a time.</summary>
    Count,

    /// <summary>Raising the interval.</summary>
    Interval,

    /// <summary>Flows live: nothing is changed any more, until one breaks.</summary>
    Settled,

    /// <summary>Everything was tried. Final.</summary>
    Exhausted,
}

/// <summary>What a <see cref="Tuner"/> answers.</summary>
/// <param name="Policy">The policy to use from now on.</param>
/// <param name="Why">One line: what was changed and why, or why nothing was.</param>
public readonly record struct TunerAdvice(KeepAlivePolicy Policy, string Why);

/// <summary>
/// The tuning procedure of ProFTPD's howto on keepalives, as a machine without clock: flows that break while idle
/// lower idle in small steps; when that does not help the count is raised by one at a time; then the interval. The
/// interval is never lowered, as it is the time an answer gets; it stops when flows live.
/// </summary>
/// <remarks>
/// Where the silence after which a flow broke is known, idle goes below it at once: from 7200 s in steps of 15 s a
/// middlebox of 240 s would take 464 broken flows to find.
/// </remarks>
public sealed class Tuner
{
    /// <summary>Shortest step the howto names.</summary>
    public static readonly TimeSpan StepMin = TimeSpan.FromSeconds(10);

    /// <summary>Longest step the howto names.</summary>
    public static readonly TimeSpan StepMax = TimeSpan.FromSeconds(15);

    /// <summary>Idle is not lowered below this: more frequent probes are a load, and no common middlebox is that impatient.</summary>
    public static readonly TimeSpan IdleFloor = TimeSpan.FromSeconds(15);

    /// <summary>The count is not raised above this: Linux's default.</summary>
    public const int CountCeiling = 9;

    /// <summary>The interval is not raised above this: Linux's default.</summary>
    public static readonly TimeSpan IntervalCeiling = TimeSpan.FromSeconds(75);

    private readonly TimeSpan _step;
    private KeepAlivePolicy _policy;

    /// <summary>Starts from a policy.</summary>
    /// <param name="start">What is in force now.</param>
    /// <param name="step">By how much idle is lowered and the interval raised: <see cref="StepMin"/> to <see cref="StepMax"/>; 15 s when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is out of range.</exception>
    public Tuner(KeepAlivePolicy start, TimeSpan? step = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        _step = step ?? StepMax;
        if (_step < StepMin || _step > StepMax)
            throw new ArgumentOutOfRangeException(nameof(step), $"step {Duration.Format(_step)} is outside {Duration.Format(StepMin)} to {Duration.Format(StepMax)}");
        _policy = start;
        Phase = TunerPhase.Idle;
    }

    /// <summary>What is being worked on.</summary>
    public TunerPhase Phase { get; private set; }

    /// <summary>A flow under the policy in force broke while idle.</summary>
    /// <param name="silence">How long it had been silent, if that is known.</param>
    public TunerAdvice OnBroken(TimeSpan? silence = null)
    {
        if (Phase == TunerPhase.Exhausted) return Keep("idle, count and interval were all tried: what breaks these flows is not silence");
        if (_policy.Idle > IdleFloor)
        {
            TimeSpan below = silence is { } known && known < _policy.Idle ? known - _step : _policy.Idle - _step;
            TimeSpan idle = below > IdleFloor ? below : IdleFloor;
            return Change(TunerPhase.Idle, new KeepAlivePolicy(idle, _policy.Count, _policy.Interval), $"a flow broke while idle: idle lowered from {Duration.Format(_policy.Idle)} to {Duration.Format(idle)}");
        }

        if (_policy.Count < CountCeiling)
            return Change(TunerPhase.Count, new KeepAlivePolicy(_policy.Idle, _policy.Count + 1, _policy.Interval), $"idle is at its floor and flows still break: probes may be lost, count raised to {_policy.Count + 1}");
        if (_policy.Interval < IntervalCeiling)
        {
            TimeSpan raised = _policy.Interval + _step;
            TimeSpan interval = raised < IntervalCeiling ? raised : IntervalCeiling;
            return Change(TunerPhase.Interval, new KeepAlivePolicy(_policy.Idle, _policy.Count, interval), $"flows still break: answers may be slow, interval raised to {Duration.Format(interval)}");
        }

        Phase = TunerPhase.Exhausted;
        return OnBroken(silence);
    }

    /// <summary>A flow lived through an idle time under the policy in force.</summary>
    public TunerAdvice OnLived()
    {
        if (Phase != TunerPhase.Exhausted) Phase = TunerPhase.Settled;
        return Keep("flows live: nothing to change");
    }

    private TunerAdvice Change(TunerPhase phase, KeepAlivePolicy policy, string why)
    {
        (Phase, _policy) = (phase, policy);
        return new TunerAdvice(policy, why);
    }

    private TunerAdvice Keep(string why) => new(_policy, why);
}
