using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>One call to be made on the socket.</summary>
internal abstract record PlanStep;

/// <summary>SO_KEEPALIVE on or off.</summary>
internal sealed record SwitchStep(bool On) : PlanStep;

/// <summary>A socket option at level IPPROTO_TCP.</summary>
internal sealed record OptionStep(KernelOption Option, int Value) : PlanStep;

/// <summary>Windows' SIO_KEEPALIVE_VALS with keepalive on.</summary>
internal sealed record KeepAliveValsStep(uint IdleMs, uint IntervalMs) : PlanStep;

/// <summary>
/// What to call, in which order, for a SPEC on a platform, and what of the SPEC the platform cannot do. Pure: every
/// platform's plan is tested on any machine.
/// </summary>
/// <param name="Steps">The calls, in order.</param>
/// <param name="Shortfalls">What will not be as asked even when every call succeeds.</param>
internal sealed record KeepAlivePlan(IReadOnlyList<PlanStep> Steps, IReadOnlyList<Shortfall> Shortfalls)
{
    // SIO_KEEPALIVE_VALS carries unsigned 32-bit milliseconds.
    private static readonly TimeSpan KeepAliveValsMax = TimeSpan.FromMilliseconds(uint.MaxValue);

    public static KeepAlivePlan For(KernelOptionSet options, KeepAliveSpec spec, bool isListener)
    {
        if (!spec.IsOn) return new KeepAlivePlan([new SwitchStep(false)], []);
        if (isListener && options.SparesListeners)
        {
            return new KeepAlivePlan([], [new Shortfall(KernelKeepAliveOption.Switch, "on", "unchanged",
                "on a listening socket this kernel's keepalive timer closes the listener: apply it to each accepted socket")]);
        }

        var steps = new List<PlanStep>(4);
        var shortfalls = new List<Shortfall>();
        if (spec.Policy is { } policy && options.Timing == TimingCall.SocketOptions) AddOptions(options, policy, steps, shortfalls);
        // Last, so that the timer is armed once, with the new values. Where keepalive was on already (an accepted socket of
        // a listener that has it) setting TCP_KEEPIDLE has re-armed it, which SO_KEEPALIVE would not.
        steps.Add(new SwitchStep(true));
        if (spec.Policy is { } vals && options.Timing == TimingCall.KeepAliveVals) AddKeepAliveVals(options, vals, steps, shortfalls);
        return new KeepAlivePlan(steps, shortfalls);
    }

    private static void AddOptions(KernelOptionSet options, KeepAlivePolicy policy, List<PlanStep> steps, List<Shortfall> shortfalls)
    {
        Shortfall? shortfall;
        if (options.Idle is { } idle) steps.Add(new OptionStep(idle, Noted(idle.RoundDown(policy.Idle, out shortfall), shortfall)));
        else shortfalls.Add(Missing(options, KernelKeepAliveOption.Idle, Duration.Format(policy.Idle)));

        if (options.AbortThreshold is { } abort)
        {
            int value = abort.RoundUp(policy.Count * policy.Interval, out _);
            steps.Add(new OptionStep(abort, value));
            string effective = $"as many as fit into {abort.Text(value)}";
            shortfalls.Add(Missing(options, KernelKeepAliveOption.Count, Number(policy.Count)) with { Effective = effective });
            shortfalls.Add(Missing(options, KernelKeepAliveOption.Interval, Duration.Format(policy.Interval)) with { Effective = "growing" });
            return;
        }

        if (options.Interval is { } interval)
            steps.Add(new OptionStep(interval, Noted(interval.RoundUp(policy.Interval, out shortfall), shortfall)));
        else
            shortfalls.Add(Missing(options, KernelKeepAliveOption.Interval, Duration.Format(policy.Interval)));
        AddCount(options, policy, steps, shortfalls);

        int Noted(int value, Shortfall? found)
        {
            if (found is not null) shortfalls.Add(found);
            return value;
        }
    }

    private static void AddCount(KernelOptionSet options, KeepAlivePolicy policy, List<PlanStep> steps, List<Shortfall> shortfalls)
    {
        if (options.Count is { } count)
        {
            steps.Add(new OptionStep(count, count.Clamp(policy.Count, out Shortfall? shortfall)));
            if (shortfall is not null) shortfalls.Add(shortfall);
        }
        else if (options.FixedCount != policy.Count)
        {
            shortfalls.Add(Missing(options, KernelKeepAliveOption.Count, Number(policy.Count)));
        }
    }

    private static void AddKeepAliveVals(KernelOptionSet options, KeepAlivePolicy policy, List<PlanStep> steps, List<Shortfall> shortfalls)
    {
        steps.Add(new KeepAliveValsStep(
            Milliseconds(KernelKeepAliveOption.Idle, policy.Idle, roundUp: 0, shortfalls),
            Milliseconds(KernelKeepAliveOption.Interval, policy.Interval, roundUp: TimeSpan.TicksPerMillisecond - 1, shortfalls)));
        AddCount(options, policy, steps, shortfalls);
    }

    private static uint Milliseconds(KernelKeepAliveOption which, TimeSpan asked, long roundUp, List<Shortfall> shortfalls)
    {
        uint value = (uint)Math.Min((asked.Ticks + roundUp) / TimeSpan.TicksPerMillisecond, uint.MaxValue);
        TimeSpan effective = TimeSpan.FromMilliseconds(value);
        string why = effective == KeepAliveValsMax
            ? $"SIO_KEEPALIVE_VALS takes at most {Duration.Format(KeepAliveValsMax)}" : "SIO_KEEPALIVE_VALS counts whole milliseconds";
        if (effective != asked) shortfalls.Add(new Shortfall(which, Duration.Format(asked), Duration.Format(effective), why));
        return value;
    }

    private static Shortfall Missing(KernelOptionSet options, KernelKeepAliveOption which, string asked) => new(which, asked,
        which == KernelKeepAliveOption.Count && options.FixedCount is { } known ? Number(known) : "the machine's own", options.WhyMissing);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
