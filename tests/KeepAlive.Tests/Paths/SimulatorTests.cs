using KeepAlive.Paths.Catalogue;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.Tests.Paths;

public sealed class SimulatorTests
{
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(60), 4, TimeSpan.FromSeconds(15));

    // Nothing happens in it that is not asked for.
    private static readonly SimulatedWorld Calm = new(Policy) { Flows = 100, Time = TimeSpan.FromHours(1), OpenWithin = TimeSpan.Zero, HasJitter = false };

    private static readonly SimulatedWorld Rough = new(Policy)
    {
        Flows = 10_000,
        Time = TimeSpan.FromHours(1),
        Loss = 0.05,
        DeathsPerDay = 20,
        BindingTimeout = TimeSpan.FromSeconds(100),
        TrafficEvery = TimeSpan.FromMinutes(5),
        Outages = new Recurrence(TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(40)),
        Sleep = new Recurrence(TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(3)),
    };

    [Fact]
    public void A_calm_hour_is_as_reckoned()
    {
        SimulationResult result = Run(Calm);
        // Each round is idle, the answer's way and what the schedule is late by: 59 of 60.05 s and more in an hour.
        Assert.Equal((5900, 5900, 100), (result.Probes, result.Answers, result.Survived));
        Assert.Equal((100, 0, 0, 0, 0), (result.Opened, result.Expired, result.FalseDeaths, result.GivenUpAsleep, result.NotYetFound));
        Assert.Equal(100, result.PeakProbesPerSecond);
        Assert.Null(result.Detection.Percentile(0.5));
        Assert.Null(result.FewestLost);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    public void Threads_change_nothing(int threads) => Assert.Equal(Numbers(Simulator.Run(Rough, 1)), Numbers(Simulator.Run(Rough, threads)));

    [Fact]
    public void The_same_seed_is_the_same_and_another_is_not()
    {
        Assert.Equal(Numbers(Run(Rough)), Numbers(Run(Rough)));
        Assert.NotEqual(Numbers(Run(Rough)), Numbers(Run(Rough with { Seed = 2 })));
        // Flows do not touch one another: the first ones do the same, however many there are.
        Assert.Equal(Numbers(Run(Rough with { Flows = 1 })), Numbers(Run(Rough with { Flows = 1 })));
    }

    // The million flows of a day, scaled down: counted in deadlines, as a busy machine is slow whatever the code.
    [Fact]
    public void The_work_is_a_deadline_or_two_a_probe()
    {
        long told = 0;
        SimulationResult result = Simulator.Run(Rough with { Flows = 20_000, Loss = 0.01, Outages = null, Sleep = null, DeathsPerDay = 1 }, 2, done => Interlocked.Exchange(ref told, Math.Max(told, done)));
        Assert.InRange(result.Probes, 20_000 * 40, 20_000 * 70);
        Assert.InRange((double)result.Events / result.Probes, 1, 1.5);
        Assert.InRange(told, 1, 20_000);
    }

    [Fact]
    public void All_that_die_at_once_are_found_in_the_time_that_the_policy_says()
    {
        SimulationResult result = Run(Calm with { CutAt = TimeSpan.FromSeconds(100) });
        // Probed at 60 s, heard from 50 ms later; silent from then on.
        Assert.Equal((100, 0), (result.Detection.Count, result.NotYetFound));
        Assert.InRange(result.Detection.Max, TimeSpan.FromSeconds(60 + 120 - 100), TimeSpan.FromSeconds(60.2 + 120 - 100));
        Assert.Equal(500, result.Probes);
        Assert.Equal((100, 100), (result.Opened, result.Survived));
    }

    [Theory]
    [InlineData(BindingRefresh.Segments, 70, 0)]
    [InlineData(BindingRefresh.Segments, 60, 100)]
    [InlineData(BindingRefresh.Payload, 70, 100)]
    public void A_binding_lives_on_what_its_middlebox_counts(BindingRefresh refresh, int timeout, int expired)
    {
        SimulationResult result = Run(Calm with { BindingTimeout = TimeSpan.FromSeconds(timeout), Refresh = refresh, Time = TimeSpan.FromMinutes(4) });
        Assert.Equal((expired, 100 - expired), (result.Expired, result.Survived));
        Assert.Equal(0, result.FalseDeaths);
    }

    // Silent: the probes run out. Reset on use: the first probe that finds it gone. Close: at once.
    [Theory]
    [InlineData(ExpiryBehaviour.Silent, 4)]
    [InlineData(ExpiryBehaviour.Unstated, 4)]
    [InlineData(ExpiryBehaviour.ResetOnUse, 1)]
    [InlineData(ExpiryBehaviour.ResetBoth, 0)]
    [InlineData(ExpiryBehaviour.Close, 0)]
    public void An_expired_binding_shows_as_its_middlebox_does(ExpiryBehaviour expiry, int probes)
    {
        SimulatedWorld world = Calm with { BindingTimeout = TimeSpan.FromSeconds(50), Expiry = expiry };
        SimulationResult result = Run(world with { Time = TimeSpan.FromSeconds(expiry == ExpiryBehaviour.Silent || expiry == ExpiryBehaviour.Unstated ? 121 : 61) });
        Assert.Equal((100, 100 * probes), (result.Expired, result.Probes));
    }

    [Fact]
    public void Messages_keep_a_binding_that_probes_do_not()
    {
        SimulatedWorld world = Calm with { BindingTimeout = TimeSpan.FromMinutes(10), Refresh = BindingRefresh.Payload };
        Assert.Equal(0, Run(world).Survived);
        Assert.Equal(100, Run(world with { TrafficEvery = TimeSpan.FromSeconds(20) }).Survived);
    }

    // Its own stack answers: what lives is the middlebox.
    [Fact]
    public void A_dead_peer_behind_one_that_looks_above_TCP_is_not_found_by_probes()
    {
        SimulatedWorld world = Calm with { CutAt = TimeSpan.FromMinutes(5), BindingTimeout = TimeSpan.FromMinutes(50), Time = TimeSpan.FromMinutes(40) };
        Assert.Equal(100, Run(world).Detection.Count);
        SimulationResult above = Run(world with { Refresh = BindingRefresh.Payload });
        Assert.Equal((0, 100, TimeSpan.FromMinutes(35)), (above.Detection.Count, above.NotYetFound, above.LongestUnfound));
    }

    [Fact]
    public void Who_comes_back_without_memory_resets_and_who_sleeps_does_not()
    {
        SimulationResult dead = Run(Calm with { DeathsPerDay = 24, BackAfter = TimeSpan.FromSeconds(5), Time = TimeSpan.FromHours(4) });
        Assert.True(dead.Detection.Count > 100, $"{dead.Detection.Count} found");
        Assert.True(dead.Detection.Max < TimeSpan.FromSeconds(76), $"a reset ends it at the next probe, not after {dead.Detection.Max}");
        // In 40 s there is time for three of the four probes; now and then two sleeps come close together.
        SimulationResult asleep = Run(Calm with { Sleep = new Recurrence(TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(40)) });
        Assert.InRange(asleep.Survived, 90, 100);
        Assert.True(Run(Calm with { Sleep = new Recurrence(TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(5)) }).GivenUpAsleep > 100);
    }

    // u = 1 - 0.9²; a round of two probes in a row each minute: 60 × u² an hour and flow, in rounds that are a little longer when one is lost.
    [Fact]
    public void False_deaths_come_as_often_as_losses_in_a_row()
    {
        var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(60), 2, TimeSpan.FromSeconds(1));
        SimulationResult result = Run(Calm with { Policy = policy, Loss = 0.1, Flows = 10_000 });
        const double Reckoned = 10_000 * 60 * 0.19 * 0.19;
        Assert.InRange(result.FalseDeaths, Reckoned * 0.93, Reckoned * 1.02);
        Assert.Equal(2, result.FewestLost);
    }

    [Fact]
    public void Jitter_spreads_the_probes()
    {
        SimulatedWorld world = Calm with { Flows = 6000 };
        Assert.Equal(6000, Run(world).PeakProbesPerSecond);
        Assert.InRange(Run(world with { HasJitter = true }).PeakProbesPerSecond, 900, 1200); // 6000 over a tenth of 60 s
    }

    [Fact]
    public void Percentiles_are_right_within_a_hundredth()
    {
        var times = new DetectionTimes();
        for (int ms = 1; ms <= 100_000; ms++) times.Add(TimeSpan.FromMilliseconds(ms));
        foreach (double part in (double[])[0.0005, 0.01, 0.5, 0.9, 0.99])
            Assert.InRange(times.Percentile(part)!.Value.TotalMilliseconds / (part * 100_000), 1, 1.02);
        Assert.Equal(TimeSpan.FromSeconds(100), times.Percentile(1));
        Assert.Equal((100_000, TimeSpan.FromSeconds(100)), (times.Count, times.Max));
        times.Add(SimulatedWorld.TimeMax);
        Assert.Equal(SimulatedWorld.TimeMax, times.Percentile(1));
    }

    [Fact]
    public void What_cannot_be_played_is_named()
    {
        foreach ((SimulatedWorld world, string fault) in ((SimulatedWorld, string)[])
        [
            (Calm with { Flows = 0 }, "flows 0"), (Calm with { Time = TimeSpan.Zero }, "time"), (Calm with { Loss = 1 }, "loss 1"),
            (Calm with { RoundTrip = Policy.Interval }, "round trip"), (Calm with { DeathsPerDay = -1 }, "-1 deaths"), (Calm with { BindingTimeout = TimeSpan.Zero }, "duration"),
        ])
            Assert.Contains(fault, Assert.Throws<ArgumentException>(() => Run(world)).Message, StringComparison.Ordinal);
    }

    private static SimulationResult Run(SimulatedWorld world) => Simulator.Run(world, threads: 2);

    private static string Numbers(SimulationResult r) => string.Join(' ',
        r.Opened, r.Survived, r.Expired, r.ExpiredUnnoticed, r.FalseDeaths, r.FalseDeathsInOutages, r.FewestLost, r.GivenUpAsleep, r.Detection.Count,
        r.Detection.Percentile(0.5), r.Detection.Percentile(0.99), r.Detection.Max, r.NotYetFound, r.LongestUnfound, r.Probes, r.Answers, r.PeakProbesPerSecond, r.Events);
}
