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
    [InlineData("60:4", "has 2 parts, not 3")]
    [InlineData("60", "is not a keepalive policy")]
    [InlineData("", "is not a keepalive policy")]
    [InlineData("0:4:15", "idle 0s is below 1ms")]
    [InlineData("60:0:15", "count 0 is outside 1 to 255 probes")]
    [InlineData("60:4:400d", "interval 400d0h0m0s is above 365d0h0m0s")]
    [InlineData("60:4:99999999999999999999", "interval '99999999999999999999' is not a duration")]
    [InlineData("-5:4:15", "idle '-5' is not a duration")]
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

    [Fact]
    public void What_is_printed_is_read_back()
    {
        Gen<KeepAlivePolicy> policies =
            from idle in Gen.Choose(1, int.MaxValue)
            from count in Gen.Choose(KeepAlivePolicy.CountMin, KeepAlivePolicy.CountMax)
            from interval in Gen.Choose(1, int.MaxValue)
            select new KeepAlivePolicy(TimeSpan.FromMilliseconds(idle), count, TimeSpan.FromMilliseconds(interval));
        Check.QuickThrowOnFailure(Prop.ForAll(policies.ToArbitrary(), policy => KeepAliveSpec.Parse(policy.ToString()).Policy == policy));
        Check.QuickThrowOnFailure(Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), n =>
        {
            TimeSpan span = TimeSpan.FromTicks(n * 977L);
            return Duration.TryParse(Duration.Format(span), out TimeSpan back) && back == span;
        }));
    }

    [Fact]
    public void No_text_throws() => Check.QuickThrowOnFailure(Prop.ForAll<string?>(text =>
        text is null || KeepAliveSpec.TryParse(text, out _, out string? faults) || faults!.Length > 0));
}
