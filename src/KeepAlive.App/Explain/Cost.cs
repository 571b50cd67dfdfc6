using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>What keepalive costs a connection that is idle all day and whose peer answers.</summary>
internal static class Cost
{
    /// <summary>A bare TCP segment over IPv4 with timestamps (RFC 791, 9293, 7323): 20 + 20 + 12 bytes, above the link layer.</summary>
    public const int SegmentBytesIPv4 = 52;

    /// <summary>The same over IPv6 (RFC 8200): 40 + 20 + 12 bytes.</summary>
    public const int SegmentBytesIPv6 = 72;

    /// <summary>
    /// One probe each idle time, as each answer starts it anew; but never two closer than the interval, where that is
    /// longer (Linux, tcp_keepalive_timer).
    /// </summary>
    public static long ProbesPerDay(KeepAlivePolicy policy) =>
        TimeSpan.TicksPerDay / Math.Max(policy.Idle.Ticks, policy.Interval.Ticks);

    /// <summary>Probe and answer.</summary>
    public static long BytesPerDay(KeepAlivePolicy policy, int segmentBytes) => ProbesPerDay(policy) * 2 * segmentBytes;
}
