using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>Something with deadlines. Told by whoever drives the clock.</summary>
internal interface ITimed
{
    /// <summary>The clock has come to what was asked for by <see cref="FlowClock.Arm"/>.</summary>
    void OnDeadline(Instant now);

    /// <summary>A fault of our own meanwhile.</summary>
    void OnFault(Exception fault);
}

/// <summary>
/// The deadlines of many flows. It has no thread: whoever drives it calls <see cref="Tick"/> and waits as long as that says,
/// or until the bell rings.
/// </summary>
/// <remarks>
/// A deadline that comes alone is kept to the schedule's 13 ms; of many, those that fall within a <see cref="Rest"/> are seen
/// to together.
/// </remarks>
/// <param name="ring">Told that there is something to do earlier than <see cref="Tick"/> said, on the thread of whoever armed it.</param>
internal sealed class FlowClock(Action ring)
{
    // Waking up costs more than what most deadlines want: 9,000 flows have 1,500 a second.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    // Sockets have a turn in between.
    private const int ToldMax = 64;

    private readonly Lock _lock = new();
    private readonly Schedule<ITimed> _schedule = new(MonotonicClock.Now);
    private Instant _rested = Instant.Zero;

    // When there is something to do. Read without the lock: ticks are asked for many thousand times a second.
    private long _wake = Instant.Never.Ticks;

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
            long wake = Instant.Max(deadline, _rested).Ticks;
            if (wake >= _wake) return;
            Volatile.Write(ref _wake, wake);
        }

        ring();
    }

    public void Remove(ScheduleEntry entry)
    {
        lock (_lock) _schedule.Remove(entry);
    }

    /// <summary>Tells those whose deadline has come, not too many at a time.</summary>
    /// <returns>How many milliseconds there is nothing more to do; -1 for ever.</returns>
    public int Tick(Instant now)
    {
        long wake = Volatile.Read(ref _wake);
        if (now.Ticks >= wake)
        {
            for (int told = 0; told < ToldMax && TryTake(now, told > 0, out ITimed flow); told++) Tell(flow, now);

            wake = Volatile.Read(ref _wake);
        }

        if (wake == Instant.Never.Ticks) return -1;
        // Rounded up to a whole millisecond, or it would wake just before its time and spin.
        return wake <= now.Ticks ? 0 : (int)Math.Min(((wake - now.Ticks) / TimeSpan.TicksPerMillisecond) + 1, 60_000);
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

    // The lock is not held while a flow is told: flows arm themselves under their own lock.
    private bool TryTake(Instant now, bool isTired, out ITimed flow)
    {
        lock (_lock)
        {
            if (_schedule.TryTake(now, out flow)) return true;
            if (isTired) _rested = now + Rest;
            Volatile.Write(ref _wake, Instant.Max(_schedule.NextWake, _rested).Ticks);
            return false;
        }
    }
}

/// <summary>A clock with a thread of its own, where no loop can drive it.</summary>
internal sealed class ClockThread
{
    private readonly object _bell = new(); // a monitor: the thread waits on it
    private bool _rang;
    private bool _isOver;

    public ClockThread()
    {
        Clock = new FlowClock(() => Ring(isOver: false));
        new Thread(Run) { IsBackground = true, Name = "flow clock" }.Start();
    }

    public FlowClock Clock { get; }

    /// <summary>No deadline is told any more.</summary>
    public void Stop() => Ring(isOver: true);

    private void Ring(bool isOver)
    {
        lock (_bell)
        {
            _rang = true;
            _isOver |= isOver;
            Monitor.Pulse(_bell);
        }
    }

    private void Run()
    {
        for (bool isOver = false; !isOver;)
        {
            int wait = Clock.Tick(MonotonicClock.Now);
            lock (_bell)
            {
                if (!_rang) Monitor.Wait(_bell, wait);
                (_rang, isOver) = (false, _isOver);
            }
        }
    }
}
