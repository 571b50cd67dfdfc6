using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class TunerTests
{
    private static TunerAdvice Break(Tuner tuner, TimeSpan? silence = null) => tuner.OnBroken(tuner.Policy, silence);

    private static TunerAdvice Live(Tuner tuner) => tuner.OnLived(tuner.Policy);

    private static KeepAlivePolicy Policy(string text) => KeepAliveSpec.Parse(text).Policy!;

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    // "gradually reduce the idle timeout by small increments (e.g. 10-15 seconds), then if that does not help, increment the
    // count by 1 at a time, then if that still does not help, increase the interval time. Do not reduce the interval time."
    [Fact]
    public void Walks_as_the_howto_says()
    {
        var tuner = new Tuner(Policy("7200:9:75"));
        string[] walk = [.. Enumerable.Range(0, 480 + 6 + 3).Select(_ => Break(tuner).Policy.ToString())];
        Assert.Equal(["7185:9:75", "7170:9:75", "7155:9:75"], walk[..3]);
        Assert.Equal(["30:9:75", "15:9:75", "15:10:75", "15:11:75", "15:12:75", "15:13:75", "15:14:75", "15:15:75", "15:15:90", "15:15:105", "15:15:120"], walk[477..488]);
        Assert.Equal((TunerPhase.Exhausted, "15:15:120"), (tuner.Phase, walk[488]));
    }

    [Theory]
    [InlineData(10, "50:8:50 40:8:50 30:8:50 20:8:50 15:8:50 15:9:50")]
    [InlineData(12.5, "47.5s:8:50 35:8:50 22.5s:8:50 15:8:50 15:9:50 15:10:50")]
    [InlineData(15, "45:8:50 30:8:50 15:8:50 15:9:50 15:10:50 15:11:50")]
    public void Steps_as_told(double step, string walk)
    {
        var tuner = new Tuner(Policy("60:8:50"), Seconds(step));
        Assert.Equal(walk, string.Join(' ', Enumerable.Range(0, 6).Select(_ => Break(tuner).Policy)));
    }

    [Fact]
    public void Says_what_it_did_and_why()
    {
        var tuner = new Tuner(Policy("30:14:110"));
        Assert.Equal(
            [
                "Change: a flow broke while idle: idle lowered from 30s to 15s",
                "Change: flows break and idle is at its floor, 15s: probes may be lost, count raised from 14 to 15",
                "Change: flows break with 15 probes too: answers may be slow, interval raised from 1m50s to 2m0s",
                "CannotHelp: idle, count and interval were all tried and flows still break: kernels probe no more often than the interval, 2m0s, which is never lowered; start again from a shorter one, or use probes of the application's own protocol",
            ],
            Enumerable.Range(0, 4).Select(_ => Break(tuner)).Select(advice => $"{advice.Effect}: {advice.Why}"));
        Assert.Equal(TunerEffect.CannotHelp, Break(tuner).Effect);
        Assert.Equal((TunerEffect.Keep, TunerPhase.Exhausted), (Live(tuner).Effect, tuner.Phase));

        var slow = new Tuner(Policy("200:15:120"), idleFloor: Seconds(200));
        Assert.Contains("this path does not count kernel keepalive", Break(slow).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Goes_below_a_silence_that_is_known_to_break()
    {
        var tuner = new Tuner(KeepAlivePolicy.Default);
        Assert.Equal(new TunerAdvice(TunerEffect.Change, Policy("225:9:75"), "a flow broke after 4m0s of silence: idle lowered from 2h0m0s to 3m45s"), Break(tuner, Seconds(240)));
        Assert.Equal(new TunerAdvice(TunerEffect.Keep, Policy("225:9:75"), "flows live under 225:9:75: nothing to change"), Live(tuner));
        Assert.Equal(TunerPhase.Settled, tuner.Phase);
        // It was probed and broke all the same: when it was found says nothing about when it broke.
        Assert.Equal("210:9:75", Break(tuner, Seconds(900)).Policy.ToString());
        Assert.Equal("150:9:75", Break(tuner, Seconds(165.7)).Policy.ToString());
        Assert.Equal("15:9:75", Break(tuner, Seconds(16)).Policy.ToString());
    }

    [Fact]
    public void A_silence_no_idle_can_undercut_changes_nothing()
    {
        var tuner = new Tuner(KeepAlivePolicy.Default);
        Assert.Equal(new TunerAdvice(TunerEffect.CannotHelp, KeepAlivePolicy.Default, "a flow broke after 10s of silence: idle is not lowered below 15s"), Break(tuner, Seconds(10)));
        Assert.Equal(TunerPhase.Idle, tuner.Phase);
        Assert.Equal("2:9:75", new Tuner(KeepAlivePolicy.Default, idleFloor: Seconds(2)).OnBroken(KeepAlivePolicy.Default, Seconds(10)).Policy.ToString());
    }

    [Fact]
    public void Flows_that_break_together_change_the_policy_once()
    {
        var tuner = new Tuner(KeepAlivePolicy.Default);
        TunerAdvice[] advices = [.. Enumerable.Range(0, 1000).Select(_ => tuner.OnBroken(KeepAlivePolicy.Default, Seconds(300)))];
        Assert.Equal((TunerEffect.Change, "285:9:75"), (advices[0].Effect, tuner.Policy.ToString()));
        Assert.All(advices[1..], advice => Assert.Equal((TunerEffect.Keep, "a flow broke under an earlier policy, 7200:9:75: that says nothing about 285:9:75"), (advice.Effect, advice.Why)));
        Assert.Equal(TunerEffect.Keep, tuner.OnBroken(KeepAlivePolicy.Default).Effect);
        Assert.Equal((TunerEffect.Keep, TunerPhase.Idle), (tuner.OnLived(KeepAlivePolicy.Default).Effect, tuner.Phase));
        // Under 285:9:75 it would have met no probe either.
        Assert.Equal("185:9:75", tuner.OnBroken(KeepAlivePolicy.Default, Seconds(200)).Policy.ToString());
    }

    [Fact]
    public void Goes_to_what_was_measured_to_be_enough_at_once_and_never_below()
    {
        var tuner = new Tuner(KeepAlivePolicy.Default, enough: Policy("150:4:25"));
        Assert.Equal("a flow broke after 30m0s of silence: idle lowered from 2h0m0s to 2m30s, which was measured to be enough", Break(tuner, Seconds(1800)).Why);
        Assert.Equal(new TunerAdvice(TunerEffect.CannotHelp, Policy("150:9:75"), "a flow broke after 2m0s of silence: idle is not lowered below 2m30s, which was measured to be enough: measure the path again"), Break(tuner, Seconds(120)));
        Assert.Equal("150:10:75", Break(tuner).Policy.ToString());
        // Also where it is below the floor.
        Assert.Equal("3:9:75", new Tuner(KeepAlivePolicy.Default, enough: Policy("3:4:1")).OnBroken(KeepAlivePolicy.Default).Policy.ToString());
    }

    [Theory]
    [InlineData("60:20:300", "60:20:300 45:20:300 30:20:300 15:20:300")]
    [InlineData("5:15:110", "5:15:110 5:15:120")]
    public void What_is_past_its_bound_already_is_left_alone(string start, string walk)
    {
        var tuner = new Tuner(Policy(start));
        string[] policies = [start, .. Enumerable.Range(0, 99).Select(_ => Break(tuner).Policy.ToString())];
        Assert.Equal(walk, string.Join(' ', policies.Distinct()));
        Assert.Equal(TunerPhase.Exhausted, tuner.Phase);
    }

    [Fact]
    public void Refuses_a_step_or_a_floor_out_of_range()
    {
        foreach (double step in (double[])[0, 9.99, 15.01, -10])
            Assert.Contains("is outside 10s to 15s", Assert.Throws<ArgumentOutOfRangeException>(() => new Tuner(KeepAlivePolicy.Default, Seconds(step))).Message, StringComparison.Ordinal);
        Assert.Contains("is outside 1ms to 365d0h0m0s", Assert.Throws<ArgumentOutOfRangeException>(() => new Tuner(KeepAlivePolicy.Default, idleFloor: TimeSpan.Zero)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_told_the_interval_never_falls_and_it_ends() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(
        SpecTexts.Policies, Gen.Choose(0, int.MaxValue).ToArbitrary(), (any, seed) =>
        {
            var random = new Random(seed);
            TimeSpan floor = Seconds(random.Next(1, 60));
            // From at most a day: a year in steps of 10 s is as finite, and longer to watch.
            var tuner = new Tuner(new KeepAlivePolicy(any.Idle < TimeSpan.FromDays(1) ? any.Idle : TimeSpan.FromDays(1), any.Count, any.Interval), Seconds(10 + (random.NextDouble() * 5)), floor);
            KeepAlivePolicy before = tuner.Policy;
            for (int facts = 0; tuner.Phase != TunerPhase.Exhausted; facts++)
            {
                Assert.True(facts < 40_000, $"seed {seed}: does not end");
                TimeSpan? silence = random.Next(3) == 0 ? Seconds(random.Next(-1, 100_000)) : null;
                TunerAdvice advice = random.Next(8) switch { 0 => tuner.OnLived(any), 1 => Live(tuner), 2 => tuner.OnBroken(any, silence), _ => Break(tuner, silence) };
                KeepAlivePolicy now = tuner.Policy;
                Assert.Equal(now, advice.Policy);
                Assert.Equal(advice.Effect == TunerEffect.Change, now != before);
                Assert.True(now.Interval >= before.Interval && now.Count >= before.Count && now.Idle <= before.Idle, $"seed {seed}: {before} to {now}");
                Assert.True(now.Idle >= floor || now.Idle == before.Idle, $"seed {seed}: {now} is below the floor");
                Assert.NotEmpty(advice.Why);
                before = now;
            }
        }));

    [Theory]
    [InlineData(300, true, 1)]
    [InlineData(240, true, 1)]
    [InlineData(61, true, 1)]
    [InlineData(300, false, 461)]
    [InlineData(7201, false, 0)]
    public void Settles_below_the_path_s_timeout_and_stays(double timeout, bool known, int changes)
    {
        var tuner = new Tuner(KeepAlivePolicy.Default);
        int changed = 0;
        for (int flow = 0; flow < 2000; flow++)
        {
            // The middlebox forgets after its timeout; a probe at idle refreshes it when that is sooner.
            bool breaks = tuner.Policy.Idle >= Seconds(timeout);
            TunerAdvice advice = breaks ? Break(tuner, known ? Seconds(timeout) : null) : Live(tuner);
            if (advice.Effect == TunerEffect.Change) changed++;
        }

        Assert.Equal(changes, changed);
        Assert.Equal(TunerPhase.Settled, tuner.Phase);
        Assert.True(tuner.Policy.Idle < Seconds(timeout));
        Assert.Equal((9, Seconds(75)), (tuner.Policy.Count, tuner.Policy.Interval));
    }
}
