using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>
/// What a machine (on Linux: a network namespace) gives a socket that has keepalive on and no numbers of its own.
/// As the system tells it, so the numbers may lie outside a <see cref="KeepAlivePolicy"/>'s range: Linux 6.18 takes 0
/// and negative times.
/// </summary>
/// <param name="Idle">Silence before the first probe.</param>
/// <param name="Count">Unanswered probes in a row that mean death.</param>
/// <param name="Interval">From one unanswered probe to the next.</param>
internal sealed record MachineDefaults(TimeSpan Idle, int Count, TimeSpan Interval)
{
    // tcp_timer.c, tcp_model_timeout: TCP_RTO_MIN 200 ms, doubled with each try up to TCP_RTO_MAX 120 s.
    private const int DoublingsMax = 9;
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(120);

    /// <summary>Whether keepalive is on for sockets that did not ask for it (macOS, always_keepalive); null where no such setting exists.</summary>
    public bool? AlwaysOn { get; init; }

    /// <summary>Retransmissions before a connection with unacknowledged data is given up (Linux, tcp_retries2); null where unknown.</summary>
    public int? Retries { get; init; }

    /// <summary>From the last sign of life to the verdict "dead": idle + count × interval; at most <see cref="TimeSpan.MaxValue"/>.</summary>
    public TimeSpan DetectionTime => Saturated(Idle.Ticks + ((Int128)Count * Interval.Ticks));

    /// <summary>
    /// The least time Linux retransmits <see cref="Retries"/> times, which is when a dead peer is found while data is
    /// unacknowledged: 924.6 s for 15. More over a path with long round trips.
    /// </summary>
    public TimeSpan? RetransmissionTime => Retries is { } retries ? Retransmitting(Math.Clamp(retries, 0, int.MaxValue)) : null;

    /// <summary>What the numbers mean: <c>idle 60s, 4 probes 15s apart: dead after 2m0s</c>.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"idle {Duration.Format(Idle)}, {Count} probe{(Count == 1 ? "" : "s")} {Duration.Format(Interval)} apart: dead after {Duration.Format(DetectionTime)}");

    /// <summary><c>idle:count:interval</c> in seconds where they are whole.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Part(Idle)}:{Count}:{Part(Interval)}");

    internal static TimeSpan Saturated(Int128 ticks) => new((long)Int128.Clamp(ticks, long.MinValue, long.MaxValue));

    private static TimeSpan Retransmitting(int retries) => retries <= DoublingsMax
        ? ((2 << retries) - 1) * FirstWait
        : Saturated((((2 << DoublingsMax) - 1) * FirstWait.Ticks) + ((Int128)(retries - DoublingsMax) * LongestWait.Ticks));

    private static string Part(TimeSpan value) => value.Ticks % TimeSpan.TicksPerSecond == 0
        ? ((long)value.TotalSeconds).ToString(CultureInfo.InvariantCulture)
        : Duration.Format(value);
}
