using KeepAlive.Core;

namespace KeepAlive;

/// <summary>
/// One clock for the application probes of any number of flows: no timer, task or thread a flow. After <see cref="KeepAlivePolicy.Idle"/>
/// of silence a flow's probe is sent, then another each interval; when count of them in a row stay unanswered its peer is dead.
/// </summary>
/// <remarks>
/// Deadlines are kept to a <see cref="Tick"/> or two. Idle is shortened by up to a tenth, another part for each flow, so that
/// flows that began together do not probe together; the interval never is, as it is the time an answer gets. With no flow it does not
/// tick. Thread-safe.
/// </remarks>
public sealed class KeepAliveClock : IDisposable
{
    /// <summary>How far apart its ticks are: 50 ms.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // How many flows are seen to before others may have the lock.
    private const int TurnMax = 64;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Func<double> _jitter;
    private readonly Schedule<KeepAliveFlow> _schedule;
    private readonly ITimer _timer;
    private long _now;
    private int _isTicking;
    private bool _isOver;

    /// <summary>A clock.</summary>
    /// <param name="timeProvider">The time; null is the system's. Tests hand in their own.</param>
    public KeepAliveClock(TimeProvider? timeProvider = null)
        : this(timeProvider ?? TimeProvider.System, Random.Shared.NextDouble)
    {
    }

    internal KeepAliveClock(TimeProvider time, Func<double> jitter)
    {
        (_time, _jitter, _now) = (time, jitter, Read(time));
        _schedule = new Schedule<KeepAliveFlow>(Now);
        // Ticks must not hand down the context of whoever came first.
        using AsyncFlowControl suppressed = ExecutionContext.SuppressFlow();
        _timer = time.CreateTimer(static clock => ((KeepAliveClock)clock!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The one of the process, on the system's time. Disposing of it does nothing.</summary>
    public static KeepAliveClock Shared { get; } = new();

    /// <summary>How many flows it watches.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _schedule.Count;
        }
    }

    /// <summary>The time as of the last tick: what makes a touch a load and a store.</summary>
    internal Instant Now => new(Volatile.Read(ref _now));

    /// <summary>Begins to watch a flow, whose peer is taken to be alive now.</summary>
    /// <param name="policy">When to probe, and when its peer is dead.</param>
    /// <param name="probe">Sends a probe.</param>
    /// <returns>The flow: touch it whenever something came from its peer, and dispose of it at its end.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ObjectDisposedException">The clock is disposed of.</exception>
    public KeepAliveFlow Watch(KeepAlivePolicy policy, IKeepAliveProbe probe)
    {
        ArgumentNullException.ThrowIfNull(probe);
        return Begin(policy, probe);
    }

    /// <summary>Begins to watch a flow, whose peer is taken to be alive now.</summary>
    /// <param name="policy">When to probe, and when its peer is dead.</param>
    /// <param name="sendProbe">Sends a probe: as <see cref="IKeepAliveProbe.SendProbeAsync"/>.</param>
    /// <returns>The flow: touch it whenever something came from its peer, and dispose of it at its end.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ObjectDisposedException">The clock is disposed of.</exception>
    public KeepAliveFlow Watch(KeepAlivePolicy policy, Func<ValueTask> sendProbe)
    {
        ArgumentNullException.ThrowIfNull(sendProbe);
        return Begin(policy, sendProbe);
    }

    /// <summary>Stops: no flow is probed or found dead any more.</summary>
    public void Dispose()
    {
        if (ReferenceEquals(this, Shared)) return;
        lock (_lock) _isOver = true;
        _timer.Dispose();
    }

    /// <summary>Lets go of a flow.</summary>
    /// <returns>Whether it was watched until now.</returns>
    internal bool Forget(KeepAliveFlow flow)
    {
        lock (_lock)
        {
            if (!_schedule.Remove(flow.Entry)) return false;
            Telemetry.Flows.Add(-1);
            if (_schedule.Count == 0 && !_isOver) _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    private KeepAliveFlow Begin(KeepAlivePolicy policy, object sender)
    {
        ArgumentNullException.ThrowIfNull(policy);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            Volatile.Write(ref _now, Read(_time)); // it may have rested
            if (_schedule.Count == 0) _timer.Change(Tick, Tick);
            var flow = new KeepAliveFlow(this, policy, sender, _jitter());
            flow.Entry = _schedule.Add(flow, flow.Deadline);
            Telemetry.Flows.Add(1);
            return flow;
        }
    }

    // A tick that comes while another is at work has nothing to add.
    private void OnTick()
    {
        if (Interlocked.Exchange(ref _isTicking, 1) == 1) return;
        while (SeeToSome())
        {
        }

        Volatile.Write(ref _isTicking, 0);
    }

    private bool SeeToSome()
    {
        lock (_lock)
        {
            if (_isOver) return false;
            Volatile.Write(ref _now, Read(_time));
            for (int seen = 0; seen < TurnMax; seen++)
            {
                if (!_schedule.TryTake(Now, out KeepAliveFlow flow)) return false;
                flow.OnDeadline(Now);
                _schedule.Arm(flow.Entry, flow.Deadline);
            }

            return true;
        }
    }

    private static long Read(TimeProvider time) => time.GetElapsedTime(0).Ticks;
}
