using KeepAlive.Core;

namespace KeepAlive.Tests.Simulation;

/// <summary>What happens when, without a clock: the next thing due is done next.</summary>
internal sealed class VirtualTime
{
    private readonly PriorityQueue<Action, (long At, long Order)> _due = new();
    private long _order;

    public Instant Now { get; private set; } = new(TimeSpan.TicksPerDay);

    public void After(TimeSpan delay, Action what) => At(Now + delay, what);

    public void At(Instant at, Action what) => _due.Enqueue(what, (Math.Max(at.Ticks, Now.Ticks), _order++));

    public void RunUntil(Instant end)
    {
        while (_due.TryPeek(out _, out (long At, long Order) next) && next.At <= end.Ticks)
        {
            Action what = _due.Dequeue();
            Now = new Instant(next.At);
            what();
        }

        Now = Instant.Max(Now, end);
    }
}

/// <summary>One direction of a TCP connection: bytes in order, cut and joined anywhere, each part a little later.</summary>
internal sealed class Wire(VirtualTime time, Random random, Action<byte[]> deliver, bool cuts = true)
{
    private readonly List<byte> _inFlight = [];
    private readonly TimeSpan _latency = TimeSpan.FromMilliseconds(random.Next(1, 80));
    private bool _scheduled;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        _inFlight.AddRange(bytes);
        Schedule(_latency);
    }

    private void Schedule(TimeSpan delay)
    {
        if (_scheduled) return;
        _scheduled = true;
        time.After(delay + TimeSpan.FromMilliseconds(random.Next(0, 10)), Deliver);
    }

    private void Deliver()
    {
        _scheduled = false;
        int count = cuts && random.Next(3) == 0 ? random.Next(1, _inFlight.Count + 1) : _inFlight.Count;
        byte[] segment = [.. _inFlight.GetRange(0, count)];
        _inFlight.RemoveRange(0, count);
        if (_inFlight.Count > 0) Schedule(TimeSpan.Zero);
        deliver(segment);
    }
}
