using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

/// <summary>Another policy in the middle of a flow.</summary>
public sealed class ProbePolicyTests
{
    private const int Seeds = 3000;
    private static readonly Instant Start = Instant.Zero + TimeSpan.FromHours(1);
    private static readonly KeepAlivePolicy Slow = new(TimeSpan.FromSeconds(60), 5, TimeSpan.FromSeconds(20)), Fast = new(TimeSpan.FromSeconds(10), 2, TimeSpan.FromSeconds(3));

    [Fact]
    public void A_shorter_idle_counts_from_when_the_peer_was_heard()
    {
        var probe = new Probe(Slow, ProbeQuestion.PeerAlive, Start);
        Assert.Equal(At(10), probe.With(Fast, At(4)).Deadline);
        Assert.Equal(At(25), probe.With(Fast, At(25)).Deadline); // over already
        Assert.Equal(ProbeEffect.SendProbe, probe.With(Fast, At(25)).OnDeadline(At(25)));
        Assert.Equal(At(60), new Probe(Fast, ProbeQuestion.PeerAlive, Start).With(Slow, At(4)).Deadline);
    }

    [Fact]
    public void A_peer_that_is_probed_has_as_many_probes_out_as_before()
    {
        var probe = new Probe(Slow, ProbeQuestion.PeerAlive, Start);
        foreach (int second in (int[])[60, 80, 100]) Send(ref probe, At(second));
        Probe next = probe.With(Fast, At(101));
        Assert.Equal((ProbePhase.Probing, 3, Start), (next.Phase, next.Unanswered, next.LastReceived));
        Assert.Equal(At(103), next.Deadline); // more than the new count: the last one has its time for an answer
        Probe answered = next;
        answered.OnReceived(At(102));
        Assert.Equal((ProbePhase.Alive, At(112)), (answered.Phase, answered.Deadline));
        Assert.Equal(ProbeEffect.GiveUp, next.OnDeadline(At(103)));
        Assert.Equal((ProbePhase.Dead, Instant.Never), (next.With(Slow, At(104)).Phase, next.With(Slow, At(104)).Deadline));
        // The other way round they are fewer than the new count.
        Probe more = probe.With(new KeepAlivePolicy(TimeSpan.FromSeconds(30), 9, TimeSpan.FromSeconds(50)), At(101));
        Assert.Equal(At(150), more.Deadline);
        Assert.Equal(ProbeEffect.SendProbe, more.OnDeadline(At(150)));
    }

    [Fact]
    public void What_was_withheld_or_needed_no_answer_is_due_a_new_idle_time_later()
    {
        foreach (bool isWithheld in (bool[])[true, false])
        {
            var probe = new Probe(Slow, ProbeQuestion.PeerAlive, Start);
            Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(At(60)));
            if (isWithheld) probe.OnWithheld(At(60));
            else probe.OnRefreshSent(At(60));
            Assert.Equal(At(70), probe.With(Fast, At(61)).Deadline);
        }
    }

    [Fact]
    public void Flows_that_are_all_overdue_do_not_ask_at_once()
    {
        var random = new Random(1);
        Instant now = At(1000);
        Instant[] due = [.. Enumerable.Range(0, 1000).Select(i => i % 2 == 0
            ? new Probe(new KeepAlivePolicy(TimeSpan.FromHours(2), 3, TimeSpan.FromSeconds(1)), ProbeQuestion.PeerAlive, Start, random.NextDouble()).With(Slow, now).Deadline
            : Probe.Begun(Slow, ProbeQuestion.PeerAlive, Start, now, random.NextDouble()).Deadline)];
        Assert.All(due, at => Assert.InRange(at.Ticks, now.Ticks, (now + TimeSpan.FromSeconds(6)).Ticks));
        Assert.InRange(due.Count(at => at < now + TimeSpan.FromSeconds(1)), 1, 333);
    }

    [Fact]
    public void Changes_without_end_put_nothing_off()
    {
        var probe = new Probe(Slow, ProbeQuestion.PeerAlive, Start, jitter: 1);
        Instant latest = At(61); // overdue at 60 at the latest, and 1 s is a tenth of the shorter idle
        for (double second = 50; ; second += 0.1)
        {
            probe = probe.With(second % 1 < 0.5 ? Fast : Slow, At(second));
            if (probe.Deadline > At(second)) Assert.True(At(second) <= latest, $"at {second} s it is still due only at {probe.Deadline}");
            else break;
        }
    }

    [Fact]
    public void It_is_as_if_the_policy_had_always_been_that_one()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            KeepAlivePolicy before = AnyPolicy(random), after = AnyPolicy(random);
            double jitter = random.NextDouble();
            var probe = new Probe(before, ProbeQuestion.PeerAlive, Start, jitter);
            var other = new Probe(after, ProbeQuestion.PeerAlive, Start, jitter);
            Instant now = Start, lastProbe = Instant.Zero;
            for (int step = random.Next(1, 12); step > 0 && probe.Phase != ProbePhase.Dead; step--)
            {
                now = random.Next(3) == 0 ? now + TimeSpan.FromSeconds(random.NextDouble() * 5) : Instant.Max(now, probe.Deadline);
                if (probe.OnDeadline(now) == ProbeEffect.SendProbe)
                {
                    int what = random.Next(3);
                    Do(ref probe, what, now);
                    Do(ref other, what, now);
                    if (what == 0) lastProbe = now;
                }
                else if (probe.Phase != ProbePhase.Dead)
                {
                    probe.OnReceived(now);
                    other.OnReceived(now);
                }
            }

            Probe next = probe.With(after, now);
            if (probe.Phase == ProbePhase.Dead)
            {
                Assert.Equal(ProbePhase.Dead, next.Phase);
                continue;
            }

            Assert.Equal((probe.Phase, probe.Unanswered, probe.LastReceived), (next.Phase, next.Unanswered, next.LastReceived));
            Instant expected = lastProbe == Instant.Zero ? other.Deadline : Instant.Max(other.Deadline, lastProbe + after.Interval);
            if (expected >= now) Assert.True(Math.Abs(next.Deadline.Ticks - expected.Ticks) < TimeSpan.TicksPerMillisecond, $"seed {seed}, {before} to {after}: {next.Deadline}, not {expected}");
            else Assert.InRange(next.Deadline.Ticks, now.Ticks, (now + (after.Idle / 10)).Ticks + TimeSpan.TicksPerMillisecond);
        }
    }

    [Fact]
    public void No_probe_and_no_verdict_comes_sooner_than_an_interval_after_the_last_probe()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            KeepAlivePolicy policy = AnyPolicy(random);
            var probe = new Probe(policy, ProbeQuestion.PeerAlive, Start, random.NextDouble());
            Instant now = Start, heard = Start, asked = Instant.Zero;
            int unanswered = 0;
            for (int step = 0; step < 100; step++)
            {
                // Something happens before the deadline, or it is kept to.
                Instant before = now + TimeSpan.FromSeconds(random.NextDouble() * random.Next(1, 40));
                now = Instant.Min(before, Instant.Max(now, probe.Deadline));
                if (now == before)
                {
                    if (random.Next(4) == 0)
                    {
                        probe.OnReceived(now);
                        (heard, unanswered) = (now, 0);
                        continue;
                    }

                    policy = AnyPolicy(random);
                    probe = probe.With(policy, now);
                    Assert.Equal((heard, unanswered), (probe.LastReceived, probe.Unanswered));
                    continue;
                }

                ProbeEffect effect = probe.OnDeadline(now);
                if (effect == ProbeEffect.None) continue;
                Assert.True(asked == Instant.Zero || now - asked >= policy.Interval, $"seed {seed}: {effect} {now - asked} after the last probe, by {policy}");
                Assert.True(now - heard >= policy.Idle * 0.9 - TimeSpan.FromMilliseconds(1), $"seed {seed}: {effect} {now - heard} after it was heard, by {policy}");
                Assert.True((effect == ProbeEffect.GiveUp) == (unanswered >= policy.Count), $"seed {seed}: {effect} with {unanswered} probes out, by {policy}");
                if (effect == ProbeEffect.GiveUp) break;
                probe.OnProbeSent(now);
                (asked, unanswered) = (now, unanswered + 1);
            }
        }
    }

    [Fact]
    public void A_binding_goes_on_being_refreshed()
    {
        var probe = new Probe(Slow, ProbeQuestion.BindingFresh, Start);
        Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(At(60)));
        probe.OnRefreshSent(At(60));
        Probe next = probe.With(Fast, At(65));
        Assert.Equal(At(70), next.Deadline);
        next.OnSent(At(68));
        Assert.Equal(At(78), next.Deadline);
    }

    private static Instant At(double seconds) => Start + TimeSpan.FromSeconds(seconds);

    private static KeepAlivePolicy AnyPolicy(Random random) => new(TimeSpan.FromSeconds(random.Next(1, 30)), random.Next(1, 6), TimeSpan.FromSeconds(random.Next(1, 20)));

    private static void Send(ref Probe probe, Instant now)
    {
        Assert.Equal(ProbeEffect.SendProbe, probe.OnDeadline(now));
        probe.OnProbeSent(now);
    }

    private static void Do(ref Probe probe, int what, Instant now)
    {
        if (what == 0) probe.OnProbeSent(now);
        else if (what == 1) probe.OnRefreshSent(now);
        else probe.OnWithheld(now);
    }
}
