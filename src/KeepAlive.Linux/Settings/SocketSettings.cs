using System.Globalization;
using KeepAlive.Sockets;
using static KeepAlive.Linux.Native.SocketOption;

namespace KeepAlive.Linux.Settings;

/// <summary>One call of setsockopt(2) with a number.</summary>
internal readonly record struct SocketSetting(int Level, int Name, int Value)
{
    public override string ToString() => $"setsockopt({Level}, {Name}, {Value})";
}

/// <summary>
/// What is to be set on sockets that are not ours: the calls that the Sockets room makes on our own, in an order that
/// suits connections that have been silent for a while.
/// </summary>
internal sealed class SocketSettings
{
    private static readonly KernelOptionSet Linux = KernelOptionSet.For(new Platform(OsFamily.Linux, new Version()));

    private SocketSettings(List<SocketSetting> calls, IReadOnlyList<Shortfall> shortfalls) => (Calls, Shortfalls) = (calls, shortfalls);

    /// <summary>What Linux cannot do exactly as asked: whole seconds, 1 to 32767; 1 to 127 probes.</summary>
    public IReadOnlyList<Shortfall> Shortfalls { get; }

    internal IReadOnlyList<SocketSetting> Calls { get; }

    /// <summary>The calls for a SPEC. <c>on</c> leaves each socket the numbers it has.</summary>
    /// <param name="spec">Keepalive.</param>
    /// <param name="userTimeout">TCP user timeout. Derived: the detection time of the SPEC's numbers as Linux rounds them;
    /// untouched where the SPEC has no numbers.</param>
    public static SocketSettings Of(KeepAliveSpec spec, UserTimeout userTimeout)
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Linux, spec, isListener: false);
        var calls = new List<SocketSetting>();
        var shortfalls = new List<Shortfall>(plan.Shortfalls);
        if (spec.Policy is not null || !userTimeout.IsDerived)
        {
            UserTimeoutPlan timeout = UserTimeoutPlan.For(Linux, userTimeout, Effective(plan), spec.Policy);
            if (timeout.Step is { } step) calls.Add(Call(step));
            shortfalls.AddRange(timeout.Shortfalls);
        }

        // Off before on: SO_KEEPALIVE = 1 where it is on already leaves the timer as it was armed, maybe for 2 h (tcp_set_keepalive).
        if (spec is { IsOn: true, Policy: null }) calls.Add(new SocketSetting(SOL_SOCKET, SO_KEEPALIVE, 0));
        // On before the numbers, idle last: set where keepalive is on, TCP_KEEPIDLE arms the timer anew and counts the silence
        // that has passed; SO_KEEPALIVE would wait for a whole idle from now on, and a binding may not (tcp_sock_set_keepidle_locked).
        calls.AddRange(plan.Steps.Select(Call).OrderBy(c => c.Level == SOL_SOCKET ? 0 : c.Name == TCP_KEEPIDLE ? 2 : 1));
        return new SocketSettings(calls, shortfalls);
    }

    /// <summary>What a socket with these options has after the calls, where they succeed.</summary>
    public SocketOptions Over(SocketOptions before)
    {
        ArgumentNullException.ThrowIfNull(before);
        SocketOptions after = before;
        foreach (SocketSetting call in Calls)
        {
            after = (call.Level, call.Name) switch
            {
                (SOL_SOCKET, SO_KEEPALIVE) => after with { KeepAlive = call.Value },
                (_, TCP_KEEPIDLE) => after with { Idle = call.Value },
                (_, TCP_KEEPINTVL) => after with { Interval = call.Value },
                (_, TCP_KEEPCNT) => after with { Count = call.Value },
                (_, TCP_USER_TIMEOUT) => after with { UserTimeout = call.Value },
                _ => after,
            };
        }

        return after;
    }

    /// <summary>The calls as one word of a command line; <see cref="FromWord"/> reads it back.</summary>
    internal string ToWord() => string.Join(',', Calls.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Level}:{c.Name}:{c.Value}")));

    internal static SocketSettings FromWord(string word) => new([.. word.Split(',').Select(call =>
    {
        int[] numbers = [.. call.Split(':').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        return new SocketSetting(numbers[0], numbers[1], numbers[2]);
    })], []);

    /// <summary>Whether a socket has all of it already.</summary>
    public bool AreIn(SocketOptions socket)
    {
        foreach (SocketSetting call in Calls.Reverse().DistinctBy(c => (c.Level, c.Name)))
        {
            if (call.Value != Of(socket, call.Level, call.Name)) return false;
        }

        return true;
    }

    private static int Of(SocketOptions socket, int level, int name) => (level, name) switch
    {
        (SOL_SOCKET, SO_KEEPALIVE) => socket.KeepAlive,
        (SOL_TCP, TCP_KEEPIDLE) => socket.Idle,
        (SOL_TCP, TCP_KEEPINTVL) => socket.Interval,
        (SOL_TCP, TCP_KEEPCNT) => socket.Count,
        (SOL_TCP, TCP_USER_TIMEOUT) => socket.UserTimeout,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "not an option of keepalive"),
    };

    private static SocketSetting Call(PlanStep step) => step switch
    {
        SwitchStep toggle => new SocketSetting(SOL_SOCKET, SO_KEEPALIVE, toggle.On ? 1 : 0),
        OptionStep option => new SocketSetting(SOL_TCP, option.Option.Number, option.Value),
        _ => throw new InvalidOperationException($"{step} is not a call that Linux has"),
    };

    // What the plan will have set, as the kernel would tell it.
    private static KernelKeepAliveValues Effective(KeepAlivePlan plan)
    {
        var values = new KernelKeepAliveValues { IsOn = plan.Steps.Contains(new SwitchStep(true)) };
        foreach (OptionStep step in plan.Steps.OfType<OptionStep>())
        {
            values = step.Option.Which switch
            {
                KernelKeepAliveOption.Idle => values with { Idle = step.Value * step.Option.Unit },
                KernelKeepAliveOption.Interval => values with { Interval = step.Value * step.Option.Unit },
                KernelKeepAliveOption.Count => values with { Count = step.Value },
                _ => values,
            };
        }

        return values;
    }
}
