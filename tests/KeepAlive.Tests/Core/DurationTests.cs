using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class DurationTests
{
    [Theory]
    [InlineData("90", 90_000)]
    [InlineData("0", 0)]
    [InlineData("000090", 90_000)]
    [InlineData("1.5", 1_500)]
    [InlineData("1.5s", 1_500)]
    [InlineData(".5s", 500)]
    [InlineData("1.s", 1_000)]
    [InlineData("500ms", 500)]
    [InlineData("500MS", 500)]
    [InlineData("5m", 300_000)]
    [InlineData("5M", 300_000)]
    [InlineData("2h11m15s", 7_875_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("1d1ms", 86_400_001)]
    [InlineData("90m90s", 5_490_000)]
    [InlineData("0.5h", 1_800_000)]
    public void Reads(string text, long milliseconds)
    {
        Assert.True(Duration.TryParse(text, out TimeSpan value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(".")]
    [InlineData("s")]
    [InlineData(".s")]
    [InlineData("1.2.3")]
    [InlineData("1..2s")]
    [InlineData("90 s")]
    [InlineData(" 90")]
    [InlineData("+90")]
    [InlineData("-90")]
    [InlineData("1e3")]
    [InlineData("1,000")]
    [InlineData("0x10")]
    [InlineData("90x")]
    [InlineData("5s2m")] // small before large
    [InlineData("5ms3s")]
    [InlineData("5s5s")]
    [InlineData("5s3")] // a bare number has no unit to stand for behind another
    [InlineData("5s3x")]
    [InlineData("1us")]
    [InlineData("1min")]
    [InlineData("٣s")] // Arabic-Indic three
    [InlineData("９０")] // full-width digits
    [InlineData("90ｓ")]
    [InlineData("∞")]
    [InlineData("1\0s")]
    public void Refuses_what_is_no_duration_and_leaves_zero(string text)
    {
        Assert.False(Duration.TryParse(text, out TimeSpan value));
        Assert.Equal(TimeSpan.Zero, value);
    }

    [Theory]
    [InlineData("922337203685.4775807", true)] // TimeSpan.MaxValue
    [InlineData("922337203685.4775808", false)]
    [InlineData("10675199d2h48m5.4775807s", true)]
    [InlineData("10675199d2h48m5.4775808s", false)]
    [InlineData("10675199d24h", false)]
    [InlineData("99999999999999999999", false)]
    [InlineData("79228162514264337593543950336", false)] // more than a decimal holds
    [InlineData("9999999999999999999999999999999999999999d", false)]
    [InlineData("1d99999999999999999999999999999999999999h", false)]
    public void Takes_what_a_TimeSpan_holds(string text, bool fits)
    {
        Assert.Equal(fits, Duration.TryParse(text, out TimeSpan value));
        Assert.Equal(fits ? TimeSpan.MaxValue : TimeSpan.Zero, value);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "0.0001ms")]
    [InlineData(TimeSpan.TicksPerMillisecond, "1ms")]
    [InlineData(9_999_999, "999.9999ms")]
    [InlineData(TimeSpan.TicksPerSecond, "1s")]
    [InlineData(15_000_000, "1.5s")]
    [InlineData(60 * TimeSpan.TicksPerSecond, "60s")]
    [InlineData((60 * TimeSpan.TicksPerSecond) + 1, "1m0.0000001s")]
    [InlineData(75 * TimeSpan.TicksPerSecond, "1m15s")]
    [InlineData(120 * TimeSpan.TicksPerSecond, "2m0s")]
    [InlineData(TimeSpan.TicksPerHour - 1, "59m59.9999999s")]
    [InlineData(TimeSpan.TicksPerHour, "1h0m0s")]
    [InlineData(7875 * TimeSpan.TicksPerSecond, "2h11m15s")]
    [InlineData(TimeSpan.TicksPerDay - 1, "23h59m59.9999999s")]
    [InlineData(TimeSpan.TicksPerDay, "1d0h0m0s")]
    [InlineData(-120 * TimeSpan.TicksPerSecond, "-2m0s")]
    [InlineData(long.MaxValue, "10675199d2h48m5.4775807s")]
    [InlineData(long.MinValue, "-10675199d2h48m5.4775808s")]
    public void Prints(long ticks, string text) => Assert.Equal(text, Duration.Format(new TimeSpan(ticks)));

    [Fact]
    public void What_is_printed_is_read_back()
    {
        Gen<TimeSpan> spans =
            from bits in Gen.Choose(0, 62)
            from high in Gen.Choose(0, int.MaxValue)
            from low in Gen.Choose(0, int.MaxValue)
            select new TimeSpan((((long)high << 31) | (uint)low) & ((1L << bits) - 1));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(spans.ToArbitrary(), span =>
            Duration.TryParse(Duration.Format(span), out TimeSpan back) && back == span));
    }

    [Fact]
    public void No_text_throws() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(SpecTexts.Arbitrary, text =>
        Duration.TryParse(text, out TimeSpan value) ? value >= TimeSpan.Zero : value == TimeSpan.Zero));
}
