using KeepAlive.Core;

namespace KeepAlive.Tests.Simulation;

/// <summary>The tuner on a path with many flows, for a month: it comes to rest on a policy under which none breaks, in the howto's order.</summary>
public sealed class TuningTests
{
    private const int Flows = 30;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private static readonly TimeSpan Settling = TimeSpan.FromDays(2);

    [Theory]
    [InlineData("7200:9:75", 300, 1)]
    [InlineData("7200:9:75", 300, 2)]
    [InlineData("7200:9:75", 300, 3)]
    [InlineData("7200:9:30", 60, 4)]
    public void Settles_below_the_timeout_and_stays(string start, int timeout, int seed)
    {
        SimulatedPath path = Run(start, timeout, seed);
        KeepAlivePolicy found = path.Policies[^1];
        string where = $"seed {seed}: {string.Join(' ', path.Policies)}";
        Assert.True(path.LastBroken - new VirtualTime().Now < Settling, $"{where}: a flow broke after {path.LastBroken - new VirtualTime().Now}");
        Assert.True(found.Idle <= TimeSpan.FromSeconds(timeout) && found.Idle >= TimeSpan.FromSeconds(timeout / 2), where);
        Assert.Equal((path.Policies[0].Count, path.Policies[0].Interval), (found.Count, found.Interval));
        AssertSettled(path, where);
    }

    // Idle goes on until probes lost in a row leave the binding time: nothing else can be told from a middlebox that is faster.
    [Fact]
    public void Settles_where_probes_are_lost_too()
    {
        for (int seed = 1; seed <= 2; seed++)
        {
            SimulatedPath path = Run("7200:9:75", 300, seed, loss: 0.01);
            string where = $"seed {seed}: {string.Join(' ', path.Policies)}";
            Assert.True(path.LastBroken - new VirtualTime().Now < Month * 0.75, $"{where}: a flow broke after {path.LastBroken - new VirtualTime().Now}");
            Assert.True(path.Policies[^1].Idle <= TimeSpan.FromSeconds(300 - 75), where);
            AssertSettled(path, where);
        }
    }

    [Fact]
    public void Says_once_that_nothing_helps_where_keepalive_does_not_refresh()
    {
        for (int seed = 1; seed <= 2; seed++)
        {
            SimulatedPath path = Run("7200:9:30", 300, seed, refreshes: false);
            AssertOrder(path, $"seed {seed}");
            Assert.Equal((TunerPhase.Exhausted, "15:15:120"), (path.Tuner.Phase, $"{path.Policies[^1]}"));
            Assert.Contains("use probes of the application's own protocol", Assert.Single(path.Notices), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Says_once_that_the_interval_is_too_long()
    {
        SimulatedPath path = Run("7200:9:75", 60, seed: 1);
        AssertOrder(path, "");
        Assert.Equal(TunerPhase.Exhausted, path.Tuner.Phase);
        Assert.Contains("kernels probe no more often than the interval", Assert.Single(path.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Goes_to_what_was_measured_at_once_and_no_further()
    {
        var enough = new KeepAlivePolicy(TimeSpan.FromSeconds(120), 4, TimeSpan.FromSeconds(20));
        SimulatedPath path = Run("7200:9:75", 300, seed: 1, enough: enough);
        Assert.Equal(["7200:9:75", "120:9:75"], path.Policies.Select(p => $"{p}"));
        AssertSettled(path, "");
    }

    private static SimulatedPath Run(string start, int timeout, int seed, double loss = 0, bool refreshes = true, KeepAlivePolicy? enough = null)
    {
        var path = new SimulatedPath(start, TimeSpan.FromSeconds(timeout), Flows, seed, loss, refreshes, enough);
        path.Time.RunUntil(path.Time.Now + Month);
        Assert.True(path.Broken > 0, "no flow ever broke: the simulation shows nothing");
        TestContext.Current.TestOutputHelper?.WriteLine($"{timeout} s, seed {seed}: {path.Broken} flows broke, the last after {path.LastBroken - new VirtualTime().Now}: {string.Join(' ', path.Policies)}");
        return path;
    }

    private static void AssertSettled(SimulatedPath path, string where)
    {
        AssertOrder(path, where);
        Assert.True(path.Tuner.Phase == TunerPhase.Settled, $"{where}: {path.Tuner.Phase}");
        Assert.Empty(path.Notices);
        Assert.Equal(path.Policies[^1], path.Kept[^1].Policy);
        Assert.Equal(Flows, path.Kept[^1].Flows);
    }

    // Each step changes one number: idle down; at its floor the count up, by one; then the interval up.
    private static void AssertOrder(SimulatedPath path, string where)
    {
        int stage = 0;
        foreach ((KeepAlivePolicy before, KeepAlivePolicy after) in path.Policies.Zip(path.Policies.Skip(1)))
        {
            int now = after.Idle < before.Idle && after.Count == before.Count && after.Interval == before.Interval ? 0
                : after.Idle == before.Idle && after.Count == before.Count + 1 && after.Interval == before.Interval ? 1
                : after.Idle == before.Idle && after.Count == before.Count && after.Interval > before.Interval ? 2
                : -1;
            Assert.True(now >= stage, $"{where}: {before} to {after} is out of order");
            stage = now;
        }
    }
}
