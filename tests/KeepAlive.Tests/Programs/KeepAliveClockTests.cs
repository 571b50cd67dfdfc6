using System.Threading.Channels;

namespace KeepAlive.Tests.Programs;

/// <summary>Application probes of one's own protocol, on a clock of the test's.</summary>
public sealed class KeepAliveClockTests : IDisposable
{
    private static readonly KeepAlivePolicy Policy = KeepAlivePolicy.Parse("60:3:10");
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly ManualTime _time = new();
    private readonly KeepAliveClock _clock;
    private readonly Channel<TimeSpan> _probes = Channel.CreateUnbounded<TimeSpan>();

    public KeepAliveClockTests() => _clock = new KeepAliveClock(_time, () => 0);

    public void Dispose() => _clock.Dispose();

    [Fact]
    public async Task Who_answers_is_probed_once_an_idle_time_and_lives()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, Send);
        for (int round = 0; round < 10; round++)
        {
            Pass(Policy.Idle + (2 * KeepAliveClock.Tick));
            await SentAsync();
            flow.Touch();
        }

        Assert.False(flow.IsPeerDead);
        Assert.False(_probes.Reader.TryRead(out _), "a probe went out that was not due");
    }

    [Fact]
    public async Task Who_does_not_is_dead_after_the_detection_time()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, Send);
        CancellationToken died = flow.PeerDied;
        foreach (TimeSpan wait in (TimeSpan[])[Policy.Idle, Policy.Interval, Policy.Interval])
        {
            Pass(wait + (2 * KeepAliveClock.Tick));
            await SentAsync();
            Assert.False(flow.IsPeerDead);
        }

        Pass(Policy.Interval);
        await DiedAsync(died);
        Assert.True(flow.IsPeerDead);
        Assert.Null(flow.Fault);
        Assert.InRange(flow.Silence, Policy.DetectionTime, Policy.DetectionTime + TimeSpan.FromSeconds(1));
        Assert.Equal((0, 0), (_clock.Count, _time.Running));
    }

    [Fact]
    public void Who_is_busy_is_never_probed()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, Send);
        for (int second = 0; second < 600; second++)
        {
            Pass(TimeSpan.FromSeconds(1));
            flow.Touch();
        }

        Assert.False(_probes.Reader.TryRead(out _), "a probe went out on a busy flow");
    }

    [Fact]
    public async Task A_probe_that_cannot_be_sent_is_the_end_and_says_why()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, () => throw new IOException("gone"));
        CancellationToken died = flow.PeerDied;
        Pass(Policy.Idle + (2 * KeepAliveClock.Tick));
        await DiedAsync(died);
        Assert.Equal("gone", Assert.IsType<IOException>(flow.Fault).Message);
    }

    [Fact]
    public async Task A_probe_that_hangs_is_not_sent_twice_and_counts()
    {
        var hangs = new TaskCompletionSource();
        using KeepAliveFlow flow = _clock.Watch(Policy, async () =>
        {
            await Send();
            await hangs.Task;
        });
        CancellationToken died = flow.PeerDied;
        Pass(Policy.Idle + (2 * KeepAliveClock.Tick));
        await SentAsync();
        Pass((Policy.Count * Policy.Interval) + TimeSpan.FromSeconds(1));
        await DiedAsync(died);
        Assert.False(_probes.Reader.TryRead(out _), "a probe went out beside one that hangs");
        hangs.SetResult();
    }

    [Fact]
    public void A_token_asked_for_after_the_death_is_cancelled()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, () => throw new IOException());
        Pass(Policy.Idle + (2 * KeepAliveClock.Tick));
        Assert.True(SpinWait.SpinUntil(() => flow.IsPeerDead, Bound), "it is not dead");
        Assert.True(flow.PeerDied.IsCancellationRequested);
    }

    [Fact]
    public void A_flow_that_is_disposed_of_is_left_alone_and_the_clock_rests()
    {
        KeepAliveFlow flow = _clock.Watch(Policy, Send);
        Assert.Equal((1, 1), (_clock.Count, _time.Running));
        flow.Dispose();
        flow.Dispose();
        Assert.Equal((0, 0), (_clock.Count, _time.Running));
        Pass(TimeSpan.FromHours(1));
        Assert.False(flow.IsPeerDead);
        Assert.False(_probes.Reader.TryRead(out _), "a probe went out on a flow that is over");
    }

    [Fact]
    public void A_clock_that_rested_knows_the_time()
    {
        _clock.Watch(Policy, Send).Dispose();
        _time.Advance(TimeSpan.FromDays(1));
        using KeepAliveFlow flow = _clock.Watch(Policy, Send);
        Assert.Equal(TimeSpan.Zero, flow.Silence);
        Pass(TimeSpan.FromSeconds(59));
        Assert.False(_probes.Reader.TryRead(out _), "a probe went out before idle");
    }

    [Fact]
    public async Task Flows_that_began_together_do_not_probe_together()
    {
        using var clock = new KeepAliveClock(_time);
        var flows = Enumerable.Range(0, 1000).Select(_ => clock.Watch(Policy, Send)).ToList();
        Pass(TimeSpan.FromSeconds(57));
        int early = 0;
        while (early < 400) // half of them, more or less
        {
            await SentAsync();
            early++;
        }

        Pass(Policy.Idle - TimeSpan.FromSeconds(57) + (2 * KeepAliveClock.Tick));
        for (int rest = early; rest < flows.Count; rest++) await SentAsync();
        foreach (KeepAliveFlow flow in flows) flow.Dispose();
    }

    [Fact]
    public void Touching_allocates_nothing()
    {
        using KeepAliveFlow flow = _clock.Watch(Policy, Send);
        flow.Touch();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++) flow.Touch();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_clock_that_is_disposed_of_watches_nobody()
    {
        _clock.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _clock.Watch(Policy, Send));
    }

    private ValueTask Send() => _probes.Writer.WriteAsync(TimeSpan.FromTicks(_time.GetTimestamp()));

    private async Task SentAsync() => await _probes.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Bound);

    private void Pass(TimeSpan time) => _time.Advance(time);

    private static async Task DiedAsync(CancellationToken died)
    {
        var done = new TaskCompletionSource();
        await using (died.Register(done.SetResult)) await done.Task.WaitAsync(Bound, CancellationToken.None);
    }
}
