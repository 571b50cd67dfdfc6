using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class ProbeTests
{
    private const int Seeds = 3000;
    private static readonly Instant Start = Instant.Zero + TimeSpan.FromHours(1);
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(2), 3, TimeSpan.FromSeconds(1));

    [Fact]
    public void A_silent_peer_is_probed_and_given_up()
    {
        var probe = new Probe(Policy, ProbeQuestion.PeerAlive, Start);
        Assert.Equal(ProbeEffect.None, probe.OnDeadline(Start + TimeSpan.FromSeconds(1.999)));
        for (int second = 2; second <= 4; second++)
        {
            Assert.Equal(Start + TimeSpan.FromSeconds(second), probe.Deadline);
            Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(probe.Deadline));
            probe.OnProbeSent(Start + TimeSpan.FromSeconds(second));
            Assert.Equal(ProbePhase.Probing, probe.Phase);
            Assert.Equal(second - 1, probe.Unanswered);
        }

        Assert.Equal(ProbeEffect.GiveUp, probe.OnDeadline(Start + Policy.DetectionTime));
        Assert.Equal((ProbePhase.Dead, Instant.Never), (probe.Phase, probe.Deadline));
        Assert.Equal(ProbeEffect.None, probe.OnDeadline(Start + TimeSpan.FromDays(1)));
    }

    [Fact]
    public void An_answer_starts_it_anew()
    {
        var probe = new Probe(Policy, ProbeQuestion.PeerAlive, Start);
        probe.OnDeadline(Start + TimeSpan.FromSeconds(2));
        probe.OnProbeSent(Start + TimeSpan.FromSeconds(2));
        probe.OnReceived(Start + TimeSpan.FromSeconds(2.5));
        Assert.Equal((ProbePhase.Alive, Start + TimeSpan.FromSeconds(4.5)), (probe.Phase, probe.Deadline));
    }

    [Fact]
    public void A_binding_is_refreshed_by_traffic_either_way_and_never_given_up()
    {
        var probe = new Probe(Policy, ProbeQuestion.BindingFresh, Start);
        probe.OnSent(Start + TimeSpan.FromSeconds(1));
        Assert.Equal(Start + TimeSpan.FromSeconds(3), probe.Deadline);
        for (int i = 0; i < 100; i++)
        {
            Instant due = probe.Deadline;
            Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(due));
            probe.OnRefreshSent(due);
            Assert.Equal(due + Policy.Idle, probe.Deadline);
        }
    }

    [Fact]
    public void A_binding_is_refreshed_after_idle_even_where_the_interval_is_longer()
    {
        var probe = new Probe(new KeepAlivePolicy(TimeSpan.FromSeconds(2), 3, TimeSpan.FromSeconds(60)), ProbeQuestion.BindingFresh, Start);
        Instant due = probe.Deadline;
        Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(due));
        probe.OnProbeSent(due);
        Assert.Equal(due + TimeSpan.FromSeconds(2), probe.Deadline);
    }

    [Fact]
    public void A_refresh_or_a_withheld_probe_never_counts_and_being_told_nothing_does_not_spin()
    {
        var probe = new Probe(Policy, ProbeQuestion.PeerAlive, Start);
        for (int i = 0; i < 50; i++)
        {
            Instant due = probe.Deadline;
            Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(due));
            if (i % 3 == 0) probe.OnRefreshSent(due);
            else if (i % 3 == 1) probe.OnWithheld(due);
            Assert.True(probe.Deadline > due);
            Assert.Equal(ProbePhase.Alive, probe.Phase);
        }
    }

    /// <summary>The kernel's timer as it is written, with the facts it looks at when it fires (net/ipv4/tcp_timer.c).</summary>
    private sealed class KernelTimer(KeepAlivePolicy policy, Instant now)
    {
        private Instant _received = now;
        private int _probesOut;

        public Instant Fires { get; private set; } = now + policy.Idle;

        public bool Dead { get; private set; }

        public void Receive(Instant at) => (_received, _probesOut) = (at, 0);

        public bool Fire(Instant at)
        {
            TimeSpan elapsed = at - _received;
            if (elapsed < policy.Idle)
            {
                Fires = at + (policy.Idle - elapsed);
                return false;
            }

            if (_probesOut >= policy.Count)
            {
                (Dead, Fires) = (true, Instant.Never);
                return false;
            }

            _probesOut++;
            Fires = at + policy.Interval;
            return true;
        }
    }

    [Fact]
    public void Same_inputs_as_the_kernels_timer_give_the_same_probe_times()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(1, 20)), random.Next(1, 6), TimeSpan.FromSeconds(random.Next(1, 20)));
            var kernel = new KernelTimer(policy, Start);
            var probe = new Probe(policy, ProbeQuestion.PeerAlive, Start);
            Instant heard = Start;
            for (int step = 0; step < 60 && !kernel.Dead; step++)
            {
                heard += TimeSpan.FromSeconds(random.NextDouble() * random.Next(1, 60));
                // Until then: each machine is asked whenever it wants to be.
                while (Instant.Min(kernel.Fires, probe.Deadline) is var next && next < heard && !kernel.Dead)
                {
                    bool kernelProbes = kernel.Fires == next && kernel.Fire(next);
                    bool ours = probe.OnDeadline(next) == ProbeEffect.SendProbe;
                    if (ours) probe.OnProbeSent(next);
                    Assert.True(kernelProbes == ours, $"seed {seed}, {policy}: at {next} the kernel {(kernelProbes ? "probes" : "does not")}");
                }

                Assert.True(kernel.Dead == (probe.Phase == ProbePhase.Dead), $"seed {seed}, {policy}: the verdicts differ");
                kernel.Receive(heard);
                probe.OnReceived(heard);
            }
        }
    }

    [Fact]
    public void The_three_invariants_hold()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(2, 30)), random.Next(1, 6), TimeSpan.FromSeconds(random.Next(1, 10)));
            var probe = new Probe(policy, ProbeQuestion.PeerAlive, Start, random.NextDouble());
            Instant died = Start + TimeSpan.FromSeconds(random.Next(1, 2000)), lastTraffic = Start, lastHeard = Start;
            TimeSpan roundTrip = policy.Interval * (random.NextDouble() * 0.9), longestGap = TimeSpan.Zero;
            int lostInARow = 0;
            // As in the kernel no two probes are closer than the interval, so a longer one takes idle's place.
            TimeSpan refresh = policy.Idle > policy.Interval ? policy.Idle : policy.Interval;
            while (probe.Deadline is var due && due != Instant.Never)
            {
                if (probe.OnDeadline(due) == ProbeEffect.GiveUp)
                {
                    Assert.True(lostInARow >= policy.Count, $"seed {seed}: declared dead after {lostInARow} losses");
                    Assert.True(died <= due || lostInARow >= policy.Count, $"seed {seed}: a live peer was declared dead");
                    Assert.True(due - lastHeard <= refresh + (policy.Count * policy.Interval), $"seed {seed}, {policy}: found after {due - lastHeard}");
                    break;
                }

                longestGap = due - lastTraffic > longestGap ? due - lastTraffic : longestGap;
                lastTraffic = due;
                probe.OnProbeSent(due);
                bool answered = due + roundTrip < died && random.Next(5) > 0;
                lostInARow = answered ? 0 : lostInARow + 1;
                if (!answered) continue;
                lastHeard = lastTraffic = due + roundTrip;
                probe.OnReceived(lastHeard);
            }

            // What a middlebox with a longer timeout needs: never a longer silence than the refresh.
            Assert.True(longestGap <= refresh, $"seed {seed}, {policy}: silent for {longestGap}");
        }
    }
}
