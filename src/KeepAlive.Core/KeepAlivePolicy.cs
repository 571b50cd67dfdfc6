using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive;

/// <summary>
/// The three numbers of RFC 1122 keepalive (section 4.2.3.6), as every layer here uses them: after
/// <see cref="Idle"/> of silence a probe goes out, then another each <see cref="Interval"/>; when
/// <see cref="Count"/> in a row stay unanswered the peer is dead. Always valid.
/// </summary>
public sealed record KeepAlivePolicy
{
    /// <summary>Least probes before giving up.</summary>
    public const int CountMin = 1;

    /// <summary>Most probes before giving up: Windows' TCP_KEEPCNT; Linux takes 127 (tcp(7)).</summary>
    public const int CountMax = 255;

    /// <summary>Shortest idle or interval. Kernels count whole seconds; our own probes do not have to.</summary>
    public static readonly TimeSpan DurationMin = TimeSpan.FromMilliseconds(1);

    /// <summary>Longest idle or interval: 365 days.</summary>
    public static readonly TimeSpan DurationMax = TimeSpan.FromDays(365);

    /// <summary>
    /// <c>7200:9:75</c>: RFC 1122 asks for an idle time of two hours or more; nine probes 75 s apart are
    /// Linux's defaults (tcp(7): tcp_keepalive_time, _probes, _intvl). Dead after 2h11m15s.
    /// </summary>
    public static KeepAlivePolicy Default { get; } = new(TimeSpan.FromHours(2), 9, TimeSpan.FromSeconds(75));

    /// <summary>A policy of these three numbers.</summary>
    /// <param name="idle">Silence before the first probe, <see cref="DurationMin"/> to <see cref="DurationMax"/>.</param>
    /// <param name="count">Unanswered probes that mean death, <see cref="CountMin"/> to <see cref="CountMax"/>.</param>
    /// <param name="interval">Time from one unanswered probe to the next, same range as idle.</param>
    /// <exception cref="ArgumentException">A number is out of range; the message names every fault.</exception>
    public KeepAlivePolicy(TimeSpan idle, int count, TimeSpan interval)
    {
        string[] faults = [.. Faults(idle, count, interval)];
        if (faults.Length > 0) throw new ArgumentException(string.Join("; ", faults));
        (Idle, Count, Interval) = (idle, count, interval);
    }

    /// <summary>The policy of a text: <c>60:3:20</c>, <c>idle=60s,count=3,interval=20s</c>. What it may be: <see cref="KeepAliveSpec"/>.</summary>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    /// <exception cref="FormatException">The text is no policy; the message names every fault and its fix.</exception>
    public static KeepAlivePolicy Parse(string text) => KeepAliveSpec.Parse(text).Policy
        ?? throw new FormatException($"'{text.Trim()}' has no numbers: write idle:count:interval, such as 60:4:15");

    /// <summary>Silence before the first probe.</summary>
    public TimeSpan Idle { get; }

    /// <summary>Unanswered probes in a row that mean the peer is dead.</summary>
    public int Count { get; }

    /// <summary>Time from one unanswered probe to the next.</summary>
    public TimeSpan Interval { get; }

    /// <summary>
    /// From the last sign of life to the verdict "dead": idle + count × interval. Where the interval is longer than idle
    /// it takes idle's place, as no two probes are closer than it (Linux, tcp_keepalive_timer).
    /// </summary>
    public TimeSpan DetectionTime => Idle + (Count * Interval);

    /// <summary>What the numbers mean: <c>idle 60s, 4 probes 15s apart: dead after 2m0s</c>.</summary>
    public string Describe() => Count == 1
        ? $"idle {Duration.Format(Idle)}, 1 probe, {Duration.Format(Interval)} for its answer: dead after {Duration.Format(DetectionTime)}"
        : $"idle {Duration.Format(Idle)}, {Count} probes {Duration.Format(Interval)} apart: dead after {Duration.Format(DetectionTime)}";

    /// <summary>The policy's text, <c>idle:count:interval</c>; <see cref="KeepAliveSpec.Parse"/> reads it back.</summary>
    public override string ToString() => $"{Part(Idle)}:{Count}:{Part(Interval)}";

    /// <summary>Every fault of the three numbers: value, limit and what to do.</summary>
    internal static IEnumerable<string> Faults(TimeSpan idle, int count, TimeSpan interval)
    {
        if (OutOfRange(idle) is { } badIdle) yield return $"idle {badIdle}";
        if (count is < CountMin or > CountMax) yield return OutsideCount(count.ToString(CultureInfo.InvariantCulture));
        if (OutOfRange(interval) is { } badInterval) yield return $"interval {badInterval}";
    }

    internal static string OutsideCount(string count) => $"count {count} is outside {CountMin} to {CountMax} probes: use 3 to 9, the number that may be lost in a row";

    internal static string TooLong(string duration) => $"{duration} is above {Duration.Format(DurationMax)}: use at most that";

    private static string? OutOfRange(TimeSpan value) => value < DurationMin
        ? $"{Duration.Format(value)} is below {Duration.Format(DurationMin)}: use at least that, or 'off' for no keepalive"
        : value > DurationMax ? TooLong(Duration.Format(value)) : null;

    // Bare seconds where they are whole, the howto's notation; a unit otherwise.
    private static string Part(TimeSpan value) => value.Ticks % TimeSpan.TicksPerSecond == 0
        ? ((long)value.TotalSeconds).ToString(CultureInfo.InvariantCulture)
        : Duration.Format(value);
}
