using KeepAlive.App.Fleet;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.App;

/// <summary>How often the page asks etcd, and what it shows while that is away.</summary>
public sealed class FleetPictureTests
{
    private readonly HeldTime _time = new();
    private readonly Queue<TaskCompletionSource<FleetSight>> _reads = [];

    [Fact]
    public async Task Who_asks_at_once_is_told_of_one_read()
    {
        var picture = new FleetPicture(_ => Read(), _time);
        Task<FleetSeen> one = picture.ReadAsync(CancellationToken.None), two = picture.ReadAsync(CancellationToken.None);
        Taken().SetResult(Sight("first"));
        Assert.Equal(("first", "first"), ((await one).Sight?.Fleet, (await two).Sight?.Fleet));
        Assert.Equal("first", (await picture.ReadAsync(CancellationToken.None)).Sight?.Fleet);
        _time.Now += TimeSpan.FromSeconds(2);
        Task<FleetSeen> later = picture.ReadAsync(CancellationToken.None);
        Taken().SetResult(Sight("second"));
        Assert.Equal("second", (await later).Sight?.Fleet);
        Assert.Empty(_reads);
    }

    [Fact]
    public async Task While_etcd_is_away_the_last_one_stands_and_says_so()
    {
        var picture = new FleetPicture(_ => Read(), _time);
        Task<FleetSeen> first = picture.ReadAsync(CancellationToken.None);
        Taken().SetException(new EtcdException(EtcdFault.Unreachable, "etcd\nis away"));
        Assert.Equal(new FleetSeen(null, default, "etcd?is away"), await first);
        _time.Now += TimeSpan.FromSeconds(2);
        Task<FleetSeen> back = picture.ReadAsync(CancellationToken.None);
        Taken().SetResult(Sight("first"));
        Assert.Null((await back).Note);
        _time.Now += TimeSpan.FromSeconds(2);
        Task<FleetSeen> away = picture.ReadAsync(CancellationToken.None);
        Taken().SetException(new EtcdException(EtcdFault.NoLeader, "no leader"));
        Assert.Equal(("first", "no leader"), ((await away).Sight?.Fleet, (await away).Note));
    }

    private static FleetSight Sight(string fleet) => new(fleet, new PolicyState(null, null, 1), [], []);

    private Task<FleetSight> Read()
    {
        var read = new TaskCompletionSource<FleetSight>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_reads)
        {
            _reads.Enqueue(read);
            Monitor.PulseAll(_reads);
        }

        return read.Task;
    }

    // It is begun on another thread.
    private TaskCompletionSource<FleetSight> Taken()
    {
        lock (_reads)
        {
            while (_reads.Count == 0) Assert.True(Monitor.Wait(_reads, TimeSpan.FromSeconds(30)), "nobody reads");
            return _reads.Dequeue();
        }
    }

    // Its timers never end: whoever waits is told by the read alone.
    private sealed class HeldTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Held();

        private sealed class Held : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
