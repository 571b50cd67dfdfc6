using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>Something with deadlines. Asked on the clock's thread.</summary>
internal interface ITimed
{
    /// <summary>The clock has come to what was asked for by <see cref="FlowClock.Arm"/>.</summary>
    void OnDeadline(Instant now);

    /// <summary>A fault of our own meanwhile.</summary>
    void OnFault(Exception fault);
}

/// <summary>One thread and one schedule for the deadlines of all flows.</summary>
internal sealed class FlowClock
{
    private readonly object _lock = new(); // a monitor: its owner waits on it
    private readonly Schedule<ITimed> _schedule = new(MonotonicClock.Now);
    private Instant _wake = Instant.Never;
    private volatile bool _stopped;

    public FlowClock() => new Thread(Run) { IsBackground = true, Name = "flow clock" }.Start();

    /// <summary>A place in the schedule; no deadline yet.</summary>
    public ScheduleEntry Add(ITimed flow)
    {
        lock (_lock) return _schedule.Add(flow, Instant.Never);
    }

    /// <summary>The flow's <see cref="ITimed.OnDeadline"/> will be called at this time, and never again unless armed again.</summary>
    public void Arm(ScheduleEntry entry, Instant deadline)
    {
        lock (_lock)
        {
            _schedule.Arm(entry, deadline);
            if (deadline < _wake) Monitor.Pulse(_lock);
        }
    }

    public void Remove(ScheduleEntry entry)
    {
        lock (_lock) _schedule.Remove(entry);
    }

    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        while (!_stopped)
        {
            Instant now = MonotonicClock.Now;
            while (TryTake(now, out ITimed flow)) Tell(flow, now);
            lock (_lock)
            {
                _wake = _schedule.NextWake;
                TimeSpan left = _wake == Instant.Never ? TimeSpan.MaxValue : _wake - MonotonicClock.Now;
                // Rounded up to a whole millisecond, or it would wake just before its time and spin.
                if (left > TimeSpan.Zero && !_stopped) Monitor.Wait(_lock, (int)Math.Min(left.TotalMilliseconds + 1, 60_000));
            }
        }
    }

    // A fault of our own costs the one flow, not the clock of all.
    private static void Tell(ITimed flow, Instant now)
    {
        try
        {
            flow.OnDeadline(now);
        }
        catch (Exception e)
        {
            flow.OnFault(e);
        }
    }

    // The lock is not held while a flow is asked: flows arm themselves under their own lock.
    private bool TryTake(Instant now, out ITimed flow)
    {
        lock (_lock) return _schedule.TryTake(now, out flow);
    }
}
