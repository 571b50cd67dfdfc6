using KeepAlive.Core;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// The three promises of keepalive, in the world that <c>keepalive simulate</c> plays: a binding longer than the refresh never
/// expires; a dead peer is found within the detection time; a live peer is declared dead only if count probes or answers in a
/// row were lost. Peers, losses, outages and sleep are the world's; what is due when is the gateway's own code.
/// </summary>
public sealed class KeepAliveInvariants
{
    private const int Seeds = 120;

    // What the wheel may be late by, each time a flow waits for it.
    private static readonly TimeSpan Slot = TimeSpan.FromTicks(1 << 17);

    [Theory]
    [InlineData(ProbeQuestion.PeerAlive)]
    [InlineData(ProbeQuestion.BindingFresh)]
    public void A_binding_longer_than_the_refresh_never_expires(object questionValue)
    {
        var question = (ProbeQuestion)questionValue;
        long expired = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            SimulatedWorld world = World(seed, question) with { Loss = 0, Outages = null };
            TimeSpan enough = Refresh(world) + Slot + world.RoundTrip;
            SimulationResult held = Simulator.Run(world with { BindingTimeout = enough }, threads: 1);
            Assert.True(held.Expired + held.ExpiredUnnoticed == 0, $"seed {seed}, {world.Policy}: {held.Expired} bindings of {enough} expired");
            // Shorter than the shortest idle time that jitter leaves: nothing holds it but messages.
            SimulationResult lost = Simulator.Run(world with { BindingTimeout = Refresh(world) * 0.85, TrafficEvery = null }, threads: 1);
            expired += lost.Expired + lost.ExpiredUnnoticed;
        }

        Assert.True(expired > Seeds, $"{expired} bindings shorter than the refresh expired: the simulation shows nothing");
    }

    [Fact]
    public void A_binding_longer_than_the_detection_time_never_expires_whatever_is_lost()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            SimulatedWorld world = World(seed, ProbeQuestion.PeerAlive);
            TimeSpan enough = Verdict(world) + world.RoundTrip;
            SimulationResult held = Simulator.Run(world with { BindingTimeout = enough }, threads: 1);
            Assert.True(held.Expired + held.ExpiredUnnoticed == 0, $"seed {seed}, {world.Policy}: {held.Expired} bindings of {enough} expired");
        }
    }

    [Fact]
    public void A_dead_peer_is_found_within_the_detection_time()
    {
        long found = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            SimulatedWorld world = World(seed, ProbeQuestion.PeerAlive);
            SimulationResult result = Simulator.Run(world, threads: 1);
            // Its last answer may still have been on its way.
            TimeSpan most = Verdict(world) + world.RoundTrip;
            Assert.True(result.Detection.Max <= most, $"seed {seed}, {world.Policy}: found after {result.Detection.Max}");
            Assert.True(result.LongestUnfound <= most, $"seed {seed}, {world.Policy}: not found for {result.LongestUnfound}");
            found += result.Detection.Count;
        }

        Assert.True(found > 10 * Seeds, $"{found} dead peers: the simulation shows nothing");
    }

    [Fact]
    public void A_live_peer_is_declared_dead_only_if_count_in_a_row_were_lost()
    {
        long wrong = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            SimulatedWorld world = World(seed, ProbeQuestion.PeerAlive);
            SimulationResult result = Simulator.Run(world, threads: 1);
            Assert.True(result.FewestLost is null || result.FewestLost >= world.Policy.Count, $"seed {seed}, {world.Policy}: given up after {result.FewestLost} losses");
            wrong += result.FalseDeaths;
            SimulationResult lossless = Simulator.Run(world with { Loss = 0, Outages = null, Sleep = null }, threads: 1);
            Assert.Equal((0, 0), (lossless.FalseDeaths, lossless.GivenUpAsleep));
        }

        Assert.True(wrong > Seeds, $"{wrong} live peers declared dead: the simulation shows nothing");
    }

    private static SimulatedWorld World(int seed, ProbeQuestion question)
    {
        var random = new Random(seed);
        TimeSpan seconds(int least, int most) => TimeSpan.FromSeconds(random.Next(least, most));
        var policy = new KeepAlivePolicy(seconds(1, 60), random.Next(1, 6), seconds(1, 30));
        TimeSpan shorter = policy.Idle < policy.Interval ? policy.Idle : policy.Interval;
        return new SimulatedWorld(policy)
        {
            Question = question,
            Flows = 40,
            Time = TimeSpan.FromMinutes(30),
            Seed = (ulong)seed,
            HasJitter = random.Next(2) == 0,
            RoundTrip = shorter * (0.5 * random.NextDouble()),
            Loss = random.Next(3) * 0.2,
            DeathsPerDay = random.Next(2) * 100,
            Outages = random.Next(2) == 0 ? null : new Recurrence(seconds(60, 600), seconds(1, 120)),
            Sleep = random.Next(2) == 0 ? null : new Recurrence(seconds(60, 600), seconds(1, 120)),
            TrafficEvery = random.Next(2) == 0 ? null : seconds(1, 300),
        };
    }

    // No two probes that must be answered are closer than the interval: as in the kernel, a longer one takes idle's place.
    private static TimeSpan Refresh(SimulatedWorld world) =>
        world.Question == ProbeQuestion.BindingFresh || world.Policy.Idle > world.Policy.Interval ? world.Policy.Idle : world.Policy.Interval;

    private static TimeSpan Verdict(SimulatedWorld world) => Refresh(world) + Slot + (world.Policy.Count * (world.Policy.Interval + Slot));
}
