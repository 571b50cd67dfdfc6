using System.Globalization;

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

    /// <summary>The same for people.</summary>
    public static IEnumerable<(string Name, string Value)> Facts(KeepAlivePolicy policy)
    {
        long probes = ProbesPerDay(policy);
        yield return ("idle all day", probes == 0 ? "less than one probe"
            : string.Create(CultureInfo.InvariantCulture, $"{probes} probe{(probes == 1 ? "" : "s")}, {BytesPerDay(policy, SegmentBytesIPv4)} bytes with their answers, of {SegmentBytesIPv4} each (IPv6 {BytesPerDay(policy, SegmentBytesIPv6)}, of {SegmentBytesIPv6}); link layer not counted"));
    }
}
