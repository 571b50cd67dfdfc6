using FsCheck;
using FsCheck.Fluent;

namespace KeepAlive.Tests.Core;

public sealed class KeepAlivePolicyTests
{
    [Theory]
    [InlineData("60:4:15", "idle 60s, 4 probes 15s apart: dead after 2m0s")]
    [InlineData("61:4:15", "idle 1m1s, 4 probes 15s apart: dead after 2m1s")]
    [InlineData("10:3:5", "idle 10s, 3 probes 5s apart: dead after 25s")]
    [InlineData("5:1:2", "idle 5s, 1 probe, 2s for its answer: dead after 7s")]
    [InlineData("1ms:255:1ms", "idle 1ms, 255 probes 1ms apart: dead after 256ms")]
    [InlineData("365d:255:365d", "idle 365d0h0m0s, 255 probes 365d0h0m0s apart: dead after 93440d0h0m0s")]
    public void Says_what_it_means(string text, string meaning) => Assert.Equal(meaning, KeepAliveSpec.Parse(text).Policy!.Describe());

    [Fact]
    public void Detection_is_idle_and_every_interval() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(SpecTexts.Policies, policy =>
        policy.DetectionTime == policy.Idle + (policy.Interval * policy.Count) && policy.DetectionTime > policy.Idle));

    [Fact]
    public void Takes_the_limits_and_nothing_beyond()
    {
        TimeSpan least = KeepAlivePolicy.DurationMin, most = KeepAlivePolicy.DurationMax, tick = TimeSpan.FromTicks(1);
        _ = new KeepAlivePolicy(least, KeepAlivePolicy.CountMin, least);
        _ = new KeepAlivePolicy(most, KeepAlivePolicy.CountMax, most);
        AssertFault("idle 0.9999ms is below 1ms: use at least that, or 'off' for no keepalive", least - tick, 1, least);
        AssertFault("interval 0.9999ms is below 1ms: use at least that, or 'off' for no keepalive", least, 1, least - tick);
        AssertFault("idle 365d0h0m0.0000001s is above 365d0h0m0s: use at most that", most + tick, 1, most);
        AssertFault("interval -10675199d2h48m5.4775808s is below 1ms: use at least that, or 'off' for no keepalive", most, 1, TimeSpan.MinValue);
        AssertFault("count 0 is outside 1 to 255 probes: use 3 to 9, the number that may be lost in a row", least, 0, least);
        AssertFault("count 256 is outside 1 to 255 probes: use 3 to 9, the number that may be lost in a row", least, 256, least);
        AssertFault("count -2147483648 is outside 1 to 255 probes: use 3 to 9, the number that may be lost in a row", least, int.MinValue, least);
    }

    [Fact]
    public void Same_numbers_are_the_same_policy()
    {
        var policy = new KeepAlivePolicy(TimeSpan.FromHours(2), 9, TimeSpan.FromSeconds(75));
        Assert.Equal(KeepAlivePolicy.Default, policy);
        Assert.Equal(KeepAlivePolicy.Default.GetHashCode(), policy.GetHashCode());
        Assert.NotEqual(policy, new KeepAlivePolicy(TimeSpan.FromHours(2), 8, TimeSpan.FromSeconds(75)));
    }

    private static void AssertFault(string fault, TimeSpan idle, int count, TimeSpan interval) =>
        Assert.Equal(fault, Assert.Throws<ArgumentException>(() => new KeepAlivePolicy(idle, count, interval)).Message);
}
