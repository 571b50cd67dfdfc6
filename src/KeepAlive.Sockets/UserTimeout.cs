using KeepAlive.Core;

namespace KeepAlive;

/// <summary>
/// How long sent data may stay unacknowledged before the kernel gives the connection up (RFC 5482; TCP_USER_TIMEOUT,
/// TCP_RXT_CONNDROPTIME, TCP_MAXRT). Keepalive alone does not decide that: while a segment is unacknowledged Linux
/// sends no probes (tcp_timer.c, tcp_keepalive_timer), and a dead peer is found only after about 15 minutes of
/// retransmissions (tcp_retries2).
/// </summary>
/// <remarks>Three things can be asked, so it is neither a number nor a flag: <see cref="Derived"/> (the default),
/// <see cref="Off"/>, or <see cref="Of"/> a duration.</remarks>
public readonly record struct UserTimeout
{
    /// <summary>Shortest: 1 ms, the unit of TCP_USER_TIMEOUT.</summary>
    public static readonly TimeSpan Min = TimeSpan.FromMilliseconds(1);

    /// <summary>Longest: 365 days, as for a policy. Linux takes 24.8 days; more becomes a <see cref="Shortfall"/>.</summary>
    public static readonly TimeSpan Max = KeepAlivePolicy.DurationMax;

    /// <summary>
    /// Longest that <see cref="Derived"/> sets: 924.6 s, the least time Linux retransmits by itself
    /// (ip-sysctl: tcp_retries2 = 15). TCP_USER_TIMEOUT replaces that limit rather than adding one
    /// (tcp_timer.c, tcp_write_timeout), so a longer one would find dead peers later, not sooner.
    /// </summary>
    public static readonly TimeSpan DerivedMax = TimeSpan.FromMilliseconds(924_600);

    private readonly TimeSpan? _value;

    private UserTimeout(TimeSpan? value) => _value = value;

    /// <summary>
    /// The detection time of the keepalive values in force, so that a dead peer is found as fast with data under way
    /// as without; the kernel's own limit where detection takes longer than <see cref="DerivedMax"/>; untouched where
    /// keepalive is off. Also what <c>default</c> is.
    /// </summary>
    public static UserTimeout Derived => default;

    /// <summary>None: the kernel's own limit (TCP_USER_TIMEOUT 0).</summary>
    public static UserTimeout Off { get; } = new(TimeSpan.Zero);

    /// <summary>This duration, whatever the keepalive values are. Linux then ignores the keepalive count: it gives up
    /// at the first probe time at or after the user timeout.</summary>
    /// <param name="value"><see cref="Min"/> to <see cref="Max"/>; rounded up to the platform's unit (ms or s).</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is out of range.</exception>
    public static UserTimeout Of(TimeSpan value) => value >= Min && value <= Max
        ? new UserTimeout(value)
        : throw new ArgumentOutOfRangeException(nameof(value),
            $"user timeout {Duration.Format(value)} is outside {Duration.Format(Min)} to {Duration.Format(Max)}: "
            + "use detection time, or UserTimeout.Off for none");

    /// <summary>Whether it follows the keepalive values.</summary>
    public bool IsDerived => _value is null;

    /// <summary>Whether the kernel's own limit is asked for.</summary>
    public bool IsOff => _value == TimeSpan.Zero;

    /// <summary>The duration given to <see cref="Of"/>; null for the other two.</summary>
    public TimeSpan? Explicit => _value > TimeSpan.Zero ? _value : null;

    /// <summary><c>derived</c>, <c>off</c> or the duration.</summary>
    public override string ToString() => IsDerived ? "auto" : IsOff ? "off" : Duration.Format(_value.GetValueOrDefault());
}
