using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class KeepAliveSpecTests
{
    [Fact]
    public void Defaults_are_those_of_RFC_1122_and_Linux()
    {
        Assert.Equal("7200:9:75", KeepAlivePolicy.Default.ToString());
        Assert.Equal(new TimeSpan(2, 11, 15), KeepAlivePolicy.Default.DetectionTime);
        Assert.Equal("idle 2h0m0s, 9 probes 1m15s apart: dead after 2h11m15s", KeepAlivePolicy.Default.Describe());
    }

    [Theory]
    [InlineData("60:4:15", "60:4:15", "idle 60s, 4 probes 15s apart: dead after 2m0s")]
    [InlineData("2h:9:75s", "7200:9:75", "idle 2h0m0s, 9 probes 1m15s apart: dead after 2h11m15s")]
    [InlineData("500ms:3:1s", "500ms:3:1", "idle 500ms, 3 probes 1s apart: dead after 3.5s")]
    [InlineData("1.5:1:0.25", "1.5s:1:250ms", "idle 1.5s, 1 probe, 250ms for its answer: dead after 1.75s")]
    [InlineData("idle=60s,count=4,interval=15s", "60:4:15", "idle 60s, 4 probes 15s apart: dead after 2m0s")]
    [InlineData("interval=15, IDLE=1m", "60:9:15", "idle 60s, 9 probes 15s apart: dead after 3m15s")]
    [InlineData("1d:1:1h30m", "86400:1:5400", "idle 1d0h0m0s, 1 probe, 1h30m0s for its answer: dead after 1d1h30m0s")]
    [InlineData(" ON ", "on", "on, with the machine's own values")]
    [InlineData("off", "off", "off")]
    public void Reads_and_prints(string text, string printed, string meaning)
    {
        KeepAliveSpec spec = KeepAliveSpec.Parse(text);
        Assert.Equal(printed, spec.ToString());
        Assert.Equal(meaning, spec.Describe());
    }

    [Theory]
    [InlineData("60:15s:4", "order is idle:count:interval (nginx writes idle:interval:count); did you mean count=4,interval=15s?")]
    [InlineData("60s:15s:4s", "count '15s' has a unit: the order is idle:count:interval (nginx writes idle:interval:count); give 1 to 255 probes")]
    [InlineData("60:1m:400", "(nginx writes idle:interval:count); give 1 to 255 probes")]
    [InlineData("60:4", "has 2 parts, not 3")]
    [InlineData("60", "is not a keepalive policy")]
    [InlineData("", "is not a keepalive policy")]
    [InlineData("0:4:15", "idle 0s is below 1ms")]
    [InlineData("60:0:15", "count 0 is outside 1 to 255 probes")]
    [InlineData("60:-4:15", "count -4 is outside 1 to 255 probes")]
    [InlineData("60:256:15", "count 256 is outside 1 to 255 probes")]
    [InlineData("60:1234567890123:15", "count '1234567890123' is outside 1 to 255 probes")]
    [InlineData("60:4:400d", "interval 400d0h0m0s is above 365d0h0m0s")]
    [InlineData("60:4:99999999999999999999", "interval '99999999999999999999' is above 365d0h0m0s: use at most that")]
    [InlineData("60:4:9999999999999999999999999999999999d", "interval '9999999999999999999999999999999999d' is above 365d0h0m0s")]
    [InlineData("-5:4:15", "idle -5s is below 1ms: use at least that, or 'off' for no keepalive")]
    [InlineData("1e3:4:15", "idle '1e3' is not a duration: give seconds, or a duration such as 90s, 2m30s, 500ms")]
    [InlineData("60:4.0:15", "count '4.0' is not a whole number")]
    [InlineData("60::15", "count is empty: give 1 to 255 probes")]
    [InlineData("60:4:15:2", "has 4 parts, not 3")]
    [InlineData("60:٤:15", "count '٤' is not a whole number")]
    [InlineData("6😀:4:15", "idle '6😀' is not a duration")]
    [InlineData("yes", "'yes' is not a keepalive policy")]
    [InlineData("on:off", "has 2 parts, not 3")]
    [InlineData("idle=60:4:15", "idle '60:4:15' is not a duration")]
    [InlineData("idle=60,count=15s", "count '15s' is not a whole number: give 1 to 255 probes")]
    [InlineData("idle=60,", "'' is not name=value: names are idle, count, interval")]
    [InlineData("count=", "count is empty")]
    [InlineData("=60", "'' is not a part")]
    [InlineData("60:4x:15", "count '4x' is not a whole number")]
    [InlineData("60s5s:4:15", "is not a duration")]
    [InlineData("::", "idle is empty")]
    [InlineData("idle=60,idle=70", "idle is given twice")]
    [InlineData("idle=60,speed=3", "'speed' is not a part")]
    [InlineData("idle=60,15", "'15' is not name=value")]
    public void Says_what_is_wrong(string text, string fault)
    {
        Assert.False(KeepAliveSpec.TryParse(text, out _, out string? faults));
        Assert.Contains(fault, faults, StringComparison.Ordinal);
        Assert.Equal(faults, Assert.Throws<FormatException>(() => KeepAliveSpec.Parse(text)).Message);
    }

    [Fact]
    public void Names_every_fault_at_once()
    {
        Assert.False(KeepAliveSpec.TryParse("0:300:0", out _, out string? faults));
        Assert.Contains("idle 0s is below", faults, StringComparison.Ordinal);
        Assert.Contains("count 300 is outside", faults, StringComparison.Ordinal);
        Assert.Contains("interval 0s is below", faults, StringComparison.Ordinal);
        string thrown = Assert.Throws<ArgumentException>(() => new KeepAlivePolicy(TimeSpan.Zero, 0, TimeSpan.MaxValue)).Message;
        Assert.Equal(3, thrown.Split("; ").Length);
    }

    [Theory]
    [InlineData("0s:15s:4s", 2)]
    [InlineData("x:y:z", 3)]
    [InlineData("::", 3)]
    [InlineData("-1:-1:-1", 3)]
    [InlineData("idle=x,count=y,interval=z,speed=1,idle=2", 5)]
    public void Names_each_fault_once(string text, int faults)
    {
        Assert.False(KeepAliveSpec.TryParse(text, out _, out string? named));
        Assert.Equal(faults, named.Split("; ").Count(fault => !fault.StartsWith("did you mean", StringComparison.Ordinal) && !fault.StartsWith("give", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_was_typed_comes_back_harmless_and_bounded()
    {
        Assert.False(KeepAliveSpec.TryParse("\u001b[31mred\r\n\u202eback:4:15", out _, out string? faults));
        Assert.Contains("idle '\ufffd[31mred\ufffd\ufffd\ufffdback' is not a duration", faults, StringComparison.Ordinal);
        Assert.False(KeepAliveSpec.TryParse(new string('9', 10_000_000), out _, out faults));
        Assert.StartsWith("'999999", faults, StringComparison.Ordinal);
        Assert.Contains("…' is 10000000 characters long, more than 200", faults, StringComparison.Ordinal);
        Assert.False(KeepAliveSpec.TryParse(string.Concat(Enumerable.Repeat("a=", 100)), out _, out faults));
        Assert.InRange(faults.Length, 1, 1000);
    }

    [Fact]
    public void No_text_is_a_fault_and_no_policy_is_a_mistake()
    {
        Assert.False(KeepAliveSpec.TryParse(null, out KeepAliveSpec spec, out string? faults));
        Assert.Equal(KeepAliveSpec.Off, spec);
        Assert.StartsWith("'' is not a keepalive policy", faults, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => KeepAliveSpec.Parse(null!));
        Assert.Throws<ArgumentNullException>(() => KeepAliveSpec.Of(null!));
    }

    [Fact]
    public void On_and_off_have_no_numbers()
    {
        Assert.Equal((false, null), (KeepAliveSpec.Parse("OFF").IsOn, KeepAliveSpec.Off.Policy));
        Assert.Equal((true, null), (KeepAliveSpec.Parse("On").IsOn, KeepAliveSpec.On.Policy));
        Assert.Equal(KeepAliveSpec.Off, default);
        Assert.Equal(KeepAliveSpec.Of(KeepAlivePolicy.Default), KeepAliveSpec.Parse("7200:9:75"));
        Assert.NotEqual(KeepAliveSpec.On, KeepAliveSpec.Parse("7200:9:75"));
    }

    [Fact]
    public void What_is_printed_is_read_back() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(SpecTexts.Policies, policy =>
        KeepAliveSpec.Parse(policy.ToString()).Policy == policy
        && KeepAliveSpec.Parse($"interval={Duration.Format(policy.Interval)}, count={policy.Count}, idle={Duration.Format(policy.Idle)}").Policy == policy));

    [Fact]
    public void No_text_throws_and_a_fault_is_one_line() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(SpecTexts.Arbitrary, text =>
        KeepAliveSpec.TryParse(text, out KeepAliveSpec spec, out string? faults)
            ? KeepAliveSpec.Parse(spec.ToString()) == spec
            : spec == KeepAliveSpec.Off && faults.Length > 0 && !faults.Any(char.IsControl)));
}
