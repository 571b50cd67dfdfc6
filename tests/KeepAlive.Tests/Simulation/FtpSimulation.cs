using KeepAlive.Core;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// Thousands of seeded sessions in virtual time beside servers of every kind. A failing seed is named with its story,
/// and plays the same again.
/// </summary>
public sealed class FtpSimulation
{
    private const int SeedsEach = 1000;

    public static TheoryData<Behaviour> Behaviours => [.. Enum.GetValues<Behaviour>()];

    /// <summary>Where no command of the client's races a transfer's end, the whole session is the same with our probes and without.</summary>
    [Theory]
    [MemberData(nameof(Behaviours))]
    public void A_session_is_the_same_with_probes_and_without(Behaviour behaviour)
    {
        int probes = 0;
        for (int seed = 0; seed < SeedsEach; seed++)
        {
            SimulatedSession without = Play(behaviour, seed, probes: false, busyInTransfers: false);
            SimulatedSession with = Play(behaviour, seed, probes: true, busyInTransfers: false);
            Assert.True(without.Client.Seen.SequenceEqual(with.Client.Seen), $"{behaviour}, seed {seed}: the client saw something else");
            probes += with.Relay.ProbesSent;
        }

        Assert.True(probes > 2 * SeedsEach, $"only {probes} probes: the simulation shows nothing");
    }

    /// <summary>Sessions that talk and abort while transfers run: every reply of theirs is seen, in the server's order, and none of ours.</summary>
    [Theory]
    [MemberData(nameof(Behaviours))]
    public void A_client_busy_in_transfers_sees_exactly_its_replies(Behaviour behaviour)
    {
        for (int seed = 0; seed < SeedsEach; seed++) Play(behaviour, seed, probes: true, busyInTransfers: true);
    }

    [Fact]
    public void A_server_that_hangs_while_idle_is_found_within_the_detection_time()
    {
        int found = 0;
        for (int seed = 0; seed < SeedsEach; seed++)
        {
            var session = new SimulatedSession(Behaviour.Immediate, seed, probes: true, busyInTransfers: false);
            var story = new List<string>();
            session.Relay.Tell = story.Add;
            session.Time.RunUntil(session.Time.Now + TimeSpan.FromSeconds(1 + (seed % 200)));
            session.Server.Hangs = true;
            session.RunToTheEnd();
            if (session.Relay.GaveUp == Instant.Never) continue; // no probe may go in its state: there the kernel's keepalive finds it
            found++;
            TimeSpan after = session.Relay.GaveUp - session.Relay.LastHeard;
            // Probes are never closer than an interval, the first after an answer neither: as in the kernel.
            KeepAlivePolicy policy = session.Policy;
            TimeSpan atMost = TimeSpan.FromTicks(Math.Max(policy.Idle.Ticks, policy.Interval.Ticks)) + (policy.Count * policy.Interval);
            Assert.True(after <= atMost, $"seed {seed}: found after {after}, policy {policy}\n{string.Join('\n', story)}");
        }

        Assert.True(found > SeedsEach / 10, $"found in {found} sessions only");
    }

    private static SimulatedSession Play(Behaviour behaviour, int seed, bool probes, bool busyInTransfers)
    {
        var session = new SimulatedSession(behaviour, seed, probes, busyInTransfers);
        session.RunToTheEnd();
        if (session.Fault() is not { } fault) return session;
        var story = new List<string>();
        var again = new SimulatedSession(behaviour, seed, probes, busyInTransfers);
        again.Relay.Tell = story.Add;
        again.RunToTheEnd();
        Assert.Fail($"{behaviour}, seed {seed}: {fault}\n{string.Join('\n', story)}");
        return session;
    }
}
