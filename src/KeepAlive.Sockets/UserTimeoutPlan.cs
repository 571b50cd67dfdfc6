using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>What to set as user timeout, once it is known which keepalive values are in force. Pure.</summary>
/// <param name="Step">The call to make; null for none.</param>
/// <param name="Shortfalls">What will not be as asked even when the call succeeds.</param>
internal sealed record UserTimeoutPlan(OptionStep? Step, IReadOnlyList<Shortfall> Shortfalls)
{
    private static readonly UserTimeoutPlan Nothing = new(null, []);

    /// <param name="options">The platform's options.</param>
    /// <param name="asked">What is asked for.</param>
    /// <param name="effective">The keepalive values in force.</param>
    /// <param name="policy">The policy asked for: stands in where the platform does not tell its values.</param>
    public static UserTimeoutPlan For(KernelOptionSet options, UserTimeout asked, KernelKeepAliveValues effective, KeepAlivePolicy? policy)
    {
        if (asked.IsOff) return Off(options);
        if (asked.Explicit is { } duration) return Set(options, duration, effective);
        if (!effective.IsOn) return Nothing;
        return (effective.DetectionTime ?? policy?.DetectionTime) switch
        {
            null => Fails("derived from the keepalive values", "this platform does not tell the keepalive values it uses"),
            // The kernel's own limit finds the dead peer sooner; one that an earlier call has set must go, it would replace the count.
            { } detection when detection > UserTimeout.DerivedMax => Off(options),
            { } detection => Set(options, detection, effective),
        };
    }

    private static UserTimeoutPlan Off(KernelOptionSet options) =>
        options is { UserTimeout: { } option, UserTimeoutOff: { } off } ? new UserTimeoutPlan(new OptionStep(option, off), []) : Nothing;

    private static UserTimeoutPlan Set(KernelOptionSet options, TimeSpan asked, KernelKeepAliveValues effective)
    {
        if (options.UserTimeout is not { } option) return Fails(Duration.Format(asked), options.WhyMissing);
        int value = option.RoundUp(asked, out Shortfall? rounded);
        List<Shortfall> shortfalls = rounded is null ? [] : [rounded];
        if (options.UserTimeoutReplacesCount && CountReplaced(effective, value * option.Unit) is { } replaced) shortfalls.Add(replaced);
        return new UserTimeoutPlan(new OptionStep(option, value), shortfalls);
    }

    // tcp_timer.c, tcp_keepalive_timer: with a user timeout, the connection is dropped when the peer has been silent that
    // long and at least one probe is out; icsk_probes_out is not compared with the count. The question is asked at probe times only.
    private static Shortfall? CountReplaced(KernelKeepAliveValues effective, TimeSpan userTimeout)
    {
        if (!effective.IsOn || (effective.Idle, effective.Count, effective.Interval) is not ({ } idle, { } count, { } interval)) return null;
        long probes = Math.Max(1, (long)Math.Ceiling((userTimeout - idle) / interval));
        return probes == count ? null : new Shortfall(KernelKeepAliveOption.Count, Number(count), Number(probes),
            $"TCP_USER_TIMEOUT replaces the count: the kernel gives up at the first probe time at or after {Duration.Format(userTimeout)}");
    }

    private static UserTimeoutPlan Fails(string asked, string why) =>
        new(null, [new Shortfall(KernelKeepAliveOption.UserTimeout, asked, "the kernel's own", why)]);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
