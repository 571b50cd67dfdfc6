namespace KeepAlive.Core;

/// <summary>What a <see cref="Tuner"/> is working on.</summary>
internal enum TunerPhase
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

/// <summary>What a <see cref="Tuner"/> wants done.</summary>
internal enum TunerEffect
{
    /// <summary>Nothing: flows live, or the fact says nothing about the policy in force.</summary>
    Keep,

    /// <summary>Use another policy from now on.</summary>
    Change,

    /// <summary>Tell the user: no change that is allowed can help.</summary>
    CannotHelp,
}

/// <summary>What a <see cref="Tuner"/> answers to a fact.</summary>
/// <param name="Effect">What is to be done.</param>
/// <param name="Policy">The policy in force from now on.</param>
/// <param name="Why">One line: what was changed and why, or why nothing was.</param>
internal readonly record struct TunerAdvice(TunerEffect Effect, KeepAlivePolicy Policy, string Why);

/// <summary>
/// The tuning procedure of ProFTPD's howto on keepalives, as a machine without clock: flows that break while idle
/// lower idle in small steps; when that does not help the count is raised by one at a time; then the interval. The
/// interval is never lowered, as it is the time an answer gets; it stops when flows live. One machine tunes one path.
/// </summary>
/// <remarks>
/// <para>
/// Where the silence after which a flow broke is known, idle goes one step below it at once: from 7200 s in steps of
/// 15 s a middlebox of 240 s would take 464 rounds to find. A flow that broke later than idle was probed and broke all
/// the same, so its silence tells no bound, and idle goes down by a step.
/// </para>
/// <para>
/// A fact comes with the policy its flow lived under. One from before the last change counts only when its silence
/// would have met no probe under the policy in force either; otherwise a thousand flows that break together would
/// use up the whole procedure before the first change had its chance.
/// </para>
/// <para>
/// Where it was measured which policy is enough for the path, idle goes to its idle at once, and never below.
/// </para>
/// </remarks>
internal sealed class Tuner
{
    /// <summary>Shortest step the howto names.</summary>
    public static readonly TimeSpan StepMin = TimeSpan.FromSeconds(10);

    /// <summary>Longest step the howto names, and the default.</summary>
    public static readonly TimeSpan StepMax = TimeSpan.FromSeconds(15);

    /// <summary>Idle is not lowered below this by default: no middlebox known forgets established flows that fast.</summary>
    public static readonly TimeSpan IdleFloorDefault = TimeSpan.FromSeconds(15);

    /// <summary>The count is not raised above this; a policy that starts there or above keeps its own.</summary>
    public const int CountCeiling = 15;

    /// <summary>The interval is not raised above this, as for the count: with 15 probes, dead peers then take half an hour.</summary>
    public static readonly TimeSpan IntervalCeiling = TimeSpan.FromMinutes(2);

    private readonly TimeSpan _step;
    private readonly TimeSpan _idleFloor;
    private readonly KeepAlivePolicy? _enough;

    /// <summary>Starts from a policy.</summary>
    /// <param name="start">What is in force now.</param>
    /// <param name="step">By how much idle is lowered and the interval raised: <see cref="StepMin"/> to <see cref="StepMax"/>.
    /// Null is the longer one: it takes fewer broken flows, and costs a few probes a day.</param>
    /// <param name="idleFloor">Idle is not lowered below this, <see cref="KeepAlivePolicy.DurationMin"/> to
    /// <see cref="KeepAlivePolicy.DurationMax"/>; null is <see cref="IdleFloorDefault"/>.</param>
    /// <param name="enough">A policy that is known to keep the path, because it was measured: its idle is the floor in place of
    /// <paramref name="idleFloor"/>. Null where nothing is known.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step or the floor is out of range.</exception>
    public Tuner(KeepAlivePolicy start, TimeSpan? step = null, TimeSpan? idleFloor = null, KeepAlivePolicy? enough = null)
    {
        ArgumentNullException.ThrowIfNull(start);
        _step = Within(step ?? StepMax, StepMin, StepMax, nameof(step));
        TimeSpan floor = Within(idleFloor ?? IdleFloorDefault, KeepAlivePolicy.DurationMin, KeepAlivePolicy.DurationMax, nameof(idleFloor));
        (_enough, _idleFloor) = (enough, enough?.Idle ?? floor);
        Policy = start;
    }

    /// <summary>What is being worked on.</summary>
    public TunerPhase Phase { get; private set; }

    /// <summary>The policy in force.</summary>
    public KeepAlivePolicy Policy { get; private set; }

    /// <summary>A flow broke while idle.</summary>
    /// <param name="under">The policy it lived under.</param>
    /// <param name="silence">How long it had been silent when it broke or was found broken; null when that is not known.</param>
    public TunerAdvice OnBroken(KeepAlivePolicy under, TimeSpan? silence = null)
    {
        ArgumentNullException.ThrowIfNull(under);
        bool unprobed = silence <= under.Idle && silence <= Policy.Idle;
        if (under != Policy && !unprobed) return Keep($"a flow broke under an earlier policy, {under}: that says nothing about {Policy}");
        if (Phase == TunerPhase.Exhausted) return CannotHelp();
        if (unprobed && silence <= _idleFloor)
            return new TunerAdvice(TunerEffect.CannotHelp, Policy, $"a flow broke after {Text(silence.Value)} of silence: idle is not lowered below {Text(_idleFloor)}{(_enough is null ? "" : ", which was measured to be enough: measure the path again")}");
        if (Policy.Idle > _idleFloor) return LowerIdle(unprobed ? silence : null);
        if (Policy.Count < CountCeiling) return RaiseCount();
        return Policy.Interval < IntervalCeiling ? RaiseInterval() : CannotHelp();
    }

    /// <summary>A flow lived through an idle time.</summary>
    /// <param name="under">The policy it lived under.</param>
    public TunerAdvice OnLived(KeepAlivePolicy under)
    {
        ArgumentNullException.ThrowIfNull(under);
        if (under != Policy) return Keep($"a flow lived under an earlier policy, {under}: that says nothing about {Policy}");
        if (Phase != TunerPhase.Exhausted) Phase = TunerPhase.Settled;
        return Keep($"flows live under {Policy}: nothing to change");
    }

    private TunerAdvice LowerIdle(TimeSpan? silence)
    {
        // A silence is measured, and kernels count whole seconds.
        TimeSpan below = silence is { } measured ? TimeSpan.FromSeconds(Math.Floor((measured - _step).TotalSeconds)) : Policy.Idle - _step;
        TimeSpan idle = below > _idleFloor && _enough is null ? below : _idleFloor;
        string broke = silence is { } known ? $"a flow broke after {Text(known)} of silence" : "a flow broke while idle";
        return Change(TunerPhase.Idle, new KeepAlivePolicy(idle, Policy.Count, Policy.Interval), $"{broke}: idle lowered from {Text(Policy.Idle)} to {Text(idle)}{(_enough is null ? "" : ", which was measured to be enough")}");
    }

    private TunerAdvice RaiseCount() => Change(TunerPhase.Count, new KeepAlivePolicy(Policy.Idle, Policy.Count + 1, Policy.Interval),
        $"flows break and idle is at its floor, {Text(Policy.Idle)}: probes may be lost, count raised from {Policy.Count} to {Policy.Count + 1}");

    private TunerAdvice RaiseInterval()
    {
        TimeSpan raised = Policy.Interval + _step;
        TimeSpan interval = raised < IntervalCeiling ? raised : IntervalCeiling;
        return Change(TunerPhase.Interval, new KeepAlivePolicy(Policy.Idle, Policy.Count, interval),
            $"flows break with {Policy.Count} probes too: answers may be slow, interval raised from {Text(Policy.Interval)} to {Text(interval)}");
    }

    private TunerAdvice Change(TunerPhase phase, KeepAlivePolicy policy, string why)
    {
        (Phase, Policy) = (phase, policy);
        return new TunerAdvice(TunerEffect.Change, policy, why);
    }

    private TunerAdvice Keep(string why) => new(TunerEffect.Keep, Policy, why);

    // tcp_timer.c, tcp_keepalive_timer: after an answer the next probe waits for the interval, where that is longer than idle.
    private TunerAdvice CannotHelp()
    {
        Phase = TunerPhase.Exhausted;
        string why = "idle, count and interval were all tried and flows still break";
        return new TunerAdvice(TunerEffect.CannotHelp, Policy, Policy.Interval > Policy.Idle
            ? $"{why}: kernels probe no more often than the interval, {Text(Policy.Interval)}, which is never lowered; start again from a shorter one, or use probes of the application's own protocol"
            : $"{why}: this path does not count kernel keepalive, or something else ends them; use probes of the application's own protocol");
    }

    private static TimeSpan Within(TimeSpan value, TimeSpan least, TimeSpan most, string name) => value >= least && value <= most
        ? value : throw new ArgumentOutOfRangeException(name, $"{name} {Text(value)} is outside {Text(least)} to {Text(most)}: use a value between");

    private static string Text(TimeSpan value) => Duration.Format(value);
}
