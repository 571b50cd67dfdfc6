using FsCheck;
using FsCheck.Fluent;

namespace KeepAlive.Tests.Core;

/// <summary>Texts for the grammar of SPEC: any at all, and such as come near to being one.</summary>
internal static class SpecTexts
{
    private static readonly string[] Pieces =
    [
        "idle", "count", "interval", "IDLE", "on", "off", ":", ":", ":", "=", "=", ",", "60", "4", "15s", "500ms", "2h11m15s", "0", "-1", "+3", ".", "1.5",
        "256", "366d", "99999999999999999999", " ", "\t", "\n", "\0", "\u001b[31m", "٣", "é", "😀", "\ud800", "x",
    ];

    public static Arbitrary<string> Arbitrary { get; } = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string?>().Select(text => text ?? ""),
        from pieces in Gen.Elements(Pieces).ListOf() select string.Concat(pieces)).ToArbitrary();

    /// <summary>Every valid policy: from the least to the most of each number, whole seconds, milliseconds and ticks.</summary>
    public static Arbitrary<KeepAlivePolicy> Policies { get; } = (
        from idle in Durations()
        from count in Gen.Choose(KeepAlivePolicy.CountMin, KeepAlivePolicy.CountMax)
        from interval in Durations()
        select new KeepAlivePolicy(idle, count, interval)).ToArbitrary();

    private static Gen<TimeSpan> Durations() =>
        from unit in Gen.Elements(1, TimeSpan.TicksPerMillisecond, TimeSpan.TicksPerSecond, TimeSpan.TicksPerMinute, TimeSpan.TicksPerDay)
        from number in Gen.Choose(1, int.MaxValue)
        let ticks = Math.Clamp(number % (366 * TimeSpan.TicksPerDay / unit) * unit, KeepAlivePolicy.DurationMin.Ticks, KeepAlivePolicy.DurationMax.Ticks)
        select new TimeSpan(ticks);
}
