using System.Net;
using KeepAlive.Core;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Gateway;

/// <summary>How long a leg was silent, which policy it lived under, and what a path's tuner makes of it.</summary>
public sealed class PathTuningTests
{
    private static readonly TimeSpan Floor = Seconds(15);

    private readonly PathTuner _tuner = new(IPAddress.Parse("192.0.2.1"), new Tuner(Policy("600:3:10")));

    // Received at 100, answered until 400, more said at 700, seen to be owed at 720, found dead at 900.
    [Theory]
    [InlineData(400, 50, 0, 500, 400)] // nothing said since: until now
    [InlineData(400, 700, 0, 300, 400)] // what was said broke it
    [InlineData(400, 890, 720, 320, 400)] // more was said since, but this was owed before
    [InlineData(400, 700, 720, 300, 400)]
    [InlineData(0, 700, 0, 600, 100)] // the kernel tells nothing
    public void A_silence_goes_from_what_was_heard_last_to_what_was_not_answered(int acknowledged, int said, int owed, int length, int heard)
    {
        PeerContact? last = acknowledged == 0 ? null : new PeerContact { SinceData = Seconds(800), SinceAck = Seconds(900 - acknowledged) };
        var silence = IdleSilence.Of(At(100), last, At(said), owed == 0 ? Instant.Zero : At(owed), At(900));
        Assert.Equal(new IdleSilence(Seconds(length), At(heard), At(100), said > heard), silence);
    }

    [Fact]
    public void A_flow_lives_through_an_idle_time_when_a_probe_is_answered_that_late()
    {
        LegPath leg = Leg();
        Assert.Null(leg.OnLook(Contact(data: 500, answer: 500), At(500))); // silent, and not probed yet
        Live(leg, from: 0, times: 9);
        Assert.Equal(TunerPhase.Settled, _tuner.Phase);
        Assert.Null(leg.OnLook(Contact(data: 5500, answer: 100), At(5500))); // the same answer again
        // Something was said in between, and acknowledged: no idle time.
        Assert.Null(leg.OnLook(new PeerContact { SinceData = Seconds(30), SinceSent = Seconds(30), SinceAck = Seconds(30) }, At(6100)));
    }

    [Fact]
    public void What_holds_is_told_after_ten_idle_times_and_a_hundred_if_it_was_changed()
    {
        LegPath leg = Leg();
        Assert.Empty(Live(leg, from: 0, times: 20)); // nothing had to be changed
        TuneStep changed = Leg().OnBroken(Silence(320), Floor)!;
        Assert.Equal((FlowEventKind.Tuned, "192.0.2.1: a flow broke after 5m20s of silence: idle lowered from 10m0s to 5m5s; now 305:3:10", "305:3:10"), (changed.Kind, changed.Text, $"{changed.Change}"));
        leg.Change(changed.Change!, At(20_000));
        LegPath other = Leg();
        List<TuneStep> told = [.. Live(other, from: 0, times: 4), .. Live(leg, from: 20_000, times: 96)];
        Assert.Equal([(10L, 2), (100L, 2)], told.Select(step => (step.Holds!.IdleTimes, step.Holds.Flows)));
        Assert.Equal("192.0.2.1: 305:3:10 holds: 10 idle times lived through, by 2 flow(s), and none broke", told[0].Text);
        // One that breaks begins it anew.
        Assert.NotNull(Leg().OnBroken(Silence(290), Floor));
        leg.Change(_tuner.Policy, At(100_000));
        Assert.Single(Live(leg, from: 100_000, times: 10));
    }

    [Fact]
    public void Data_that_was_under_way_is_no_idle_time()
    {
        Assert.Null(Leg().OnBroken(Silence(14), Floor));
        Assert.NotNull(new LegPath(new KnownPath(new PathTuner(IPAddress.Loopback, new Tuner(Policy("12:3:1"), idleFloor: Seconds(15))), Policy("12:3:1")), At(0)).OnBroken(Silence(14), Floor));
    }

    [Fact]
    public void A_flow_that_was_not_heard_since_a_change_lived_under_the_policy_before()
    {
        LegPath leg = Leg(), other = Leg();
        TuneStep changed = other.OnBroken(Silence(320), Floor)!;
        leg.Change(changed.Change!, At(1000));
        // Probed at once by the new policy, and long forgotten by the middlebox: the first break has been seen to.
        Assert.Null(leg.OnBroken(new IdleSilence(Seconds(1000), At(30), At(30), IsAsked: true), Floor));
        Assert.NotNull(leg.OnBroken(new IdleSilence(Seconds(400), At(1001), At(1001), IsAsked: true), Floor));
    }

    // Something else answers the probes: heard a moment ago, it was silent all the same.
    [Fact]
    public void Answered_probes_do_not_make_a_silence_short()
    {
        LegPath leg = Leg();
        Live(leg, from: 0, times: 3);
        TuneStep step = leg.OnBroken(new IdleSilence(Seconds(2), At(1800), At(0), IsAsked: true), Floor)!;
        Assert.Equal("192.0.2.1: a flow broke while idle: idle lowered from 10m0s to 9m45s; now 585:3:10", step.Text);
    }

    [Fact]
    public void A_reset_unasked_by_a_peer_that_answers_probes_is_its_own_end()
    {
        LegPath leg = Leg();
        Live(leg, from: 0, times: 3);
        Assert.Null(leg.OnBroken(new IdleSilence(Seconds(100), At(1800), At(0), IsAsked: false), Floor));
        // Not probed yet: the path's timeout may be that short.
        Assert.NotNull(Leg().OnBroken(new IdleSilence(Seconds(100), At(0), At(0), IsAsked: false), Floor));
    }

    [Fact]
    public void That_nothing_helps_is_said_once()
    {
        var tuner = new PathTuner(IPAddress.Loopback, new Tuner(Policy("15:15:120")));
        var leg = new LegPath(new KnownPath(tuner, Policy("15:15:120")), At(0));
        TuneStep[] told = [.. Enumerable.Range(0, 20).Select(_ => leg.OnBroken(Silence(2000), Floor)).OfType<TuneStep>()];
        Assert.Equal(FlowEventKind.Notice, Assert.Single(told).Kind);
    }

    [Fact]
    public void The_path_used_longest_ago_is_forgotten()
    {
        List<string> asked = [];
        var paths = new PathPolicies(new PathPoliciesOptions
        {
            Default = Policy("60:3:20"),
            PathsMax = 2,
            Know = remote =>
            {
                asked.Add($"{remote.Address}");
                return new PathKnowledge($"of {remote}") { Start = Policy("5:3:2") };
            },
        });
        Assert.Equal("of 192.0.2.1:7", paths.Announce(IPEndPoint.Parse("192.0.2.1:7")));
        Assert.Null(paths.Announce(IPEndPoint.Parse("192.0.2.1:9"))); // another port is the same path
        Assert.Null(paths.Announce(IPEndPoint.Parse("127.0.0.1:7"))); // and loopback is none
        foreach (int last in (int[])[2, 1, 3, 1, 2]) Assert.Equal("5:3:2", $"{paths.PolicyFor(IPEndPoint.Parse($"192.0.2.{last}:7"))}");
        Assert.Equal(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.2"], asked);
    }

    private LegPath Leg() => new(new KnownPath(_tuner, Policy("600:3:10")), At(0));

    // Looked at 100 s after each answer.
    private static List<TuneStep> Live(LegPath leg, int from, int times)
    {
        int idle = (int)leg.Under.Idle.TotalSeconds;
        return [.. Enumerable.Range(1, times).Select(n => leg.OnLook(Contact(data: (n * idle) + 100, answer: 100), At(from + (n * idle) + 100))).OfType<TuneStep>()];
    }

    private static PeerContact Contact(int data, int answer) => new() { SinceData = Seconds(data), SinceSent = Seconds(data), SinceAck = Seconds(answer) };

    private static IdleSilence Silence(int seconds) => new(Seconds(seconds), At(0), At(0), IsAsked: true);

    private static KeepAlivePolicy Policy(string text) => KeepAliveSpec.Parse(text).Policy!;

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private static Instant At(int seconds) => new(TimeSpan.FromSeconds(1_000_000 + seconds).Ticks);
}
