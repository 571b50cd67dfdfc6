using KeepAlive.Core;

namespace KeepAlive.Tests.Simulation;

/// <summary>Virtual time: what is to happen, in order of time and then of planning.</summary>
internal sealed class World
{
    private readonly PriorityQueue<Action, (long Ticks, long Order)> _plan = new();
    private long _order;

    public Instant Now { get; private set; } = Instant.Zero + TimeSpan.FromHours(1);

    public void At(Instant time, Action act) => _plan.Enqueue(act, (Math.Max(time.Ticks, Now.Ticks), _order++));

    public void In(TimeSpan delay, Action act) => At(Now + delay, act);

    /// <summary>Lets happen what is planned within this time.</summary>
    public void Run(TimeSpan atMost)
    {
        Instant end = Now + atMost;
        while (_plan.TryPeek(out Action? act, out (long Ticks, long Order) when) && when.Ticks <= end.Ticks)
        {
            _plan.Dequeue();
            Now = new Instant(when.Ticks);
            act();
        }

        Now = end;
    }
}

/// <summary>A TCP direction: bytes in order, after a delay, cut as the network likes.</summary>
internal sealed class Wire(World world, Random random, TimeSpan delay, Action<byte[]> deliver)
{
    private Instant _last;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int length = random.Next(3) == 0 ? random.Next(1, bytes.Length + 1) : bytes.Length;
            byte[] piece = bytes[..length].ToArray();
            bytes = bytes[length..];
            _last = Instant.Max(_last, world.Now + delay) + TimeSpan.FromTicks(1);
            world.At(_last, () => deliver(piece));
        }
    }
}
