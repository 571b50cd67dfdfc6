using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive;

/// <summary>
/// What a socket's kernel keepalive is set to, as the kernel tells it. Null: the platform has no such value per socket
/// or does not tell it. With keepalive off the numbers are those that would count if it were on.
/// </summary>
/// <remarks>
/// On Linux a socket without numbers of its own reports the machine's (net.ipv4.tcp_keepalive_*) as they are now, while
/// its timer may still run with those from when it was armed.
/// </remarks>
public readonly record struct KernelKeepAliveValues
{
    /// <summary>SO_KEEPALIVE.</summary>
    public bool IsOn { get; init; }

    /// <summary>Silence before the first probe.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>Unanswered probes in a row that mean death.</summary>
    public int? Count { get; init; }

    /// <summary>Time from one unanswered probe to the next.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>How long data may stay unacknowledged; zero is the kernel's own limit (Linux: about 15 minutes).</summary>
    public TimeSpan? UserTimeout { get; init; }

    /// <summary>From the last sign of life of a silent peer to its death: idle + count × interval; null when a number is unknown.</summary>
    public TimeSpan? DetectionTime => Idle + (Count * Interval);

    /// <summary>In words: <c>on, idle 60s, 4 probes 15s apart: dead after 2m0s, user timeout 2m0s</c>.</summary>
    public string Describe()
    {
        if (!IsOn) return $"off, {Timeout()}";
        string numbers = (Idle, Count, Interval) is ({ } idle, { } count, { } interval)
            ? Numbers(idle, count, interval)
            : $"idle {Text(Idle)}, count {Count?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}, interval {Text(Interval)}";
        return $"on, {numbers}, {Timeout()}";
    }

    // The kernel's numbers may lie outside a policy's range (a sysctl can hold anything): say them anyway.
    private static string Numbers(TimeSpan idle, int count, TimeSpan interval) => $"idle {Duration.Format(idle)}, {count} "
        + $"probe{(count == 1 ? "" : "s")} {Duration.Format(interval)} apart: dead after {Duration.Format(idle + (count * interval))}";

    private string Timeout() => UserTimeout == TimeSpan.Zero
        ? "user timeout the kernel's own" : $"user timeout {Text(UserTimeout)}";

    private static string Text(TimeSpan? value) => value is { } known ? Duration.Format(known) : "unknown";
}
