namespace KeepAlive.Sockets;

/// <summary>How a platform is told idle and interval.</summary>
internal enum TimingCall
{
    /// <summary>A socket option each, or none where the option is null.</summary>
    SocketOptions,

    /// <summary>Windows before 1709: SIO_KEEPALIVE_VALS sets both at once, in ms, and cannot be read back.</summary>
    KeepAliveVals,
}

/// <summary>The socket options of kernel keepalive that one platform has. A null option does not exist there.</summary>
internal sealed record KernelOptionSet
{
    public KernelOption? Idle { get; init; }

    public KernelOption? Count { get; init; }

    public KernelOption? Interval { get; init; }

    public KernelOption? UserTimeout { get; init; }

    /// <summary>Solaris before 11.4: one limit on the whole time probes go unanswered, instead of count and interval.</summary>
    public KernelOption? AbortThreshold { get; init; }

    public TimingCall Timing { get; init; }

    /// <summary>The count where it cannot be changed.</summary>
    public int? FixedCount { get; init; }

    /// <summary>The value of <see cref="UserTimeout"/> that means "the kernel's own limit"; null where there is none.</summary>
    public int? UserTimeoutOff { get; init; }

    /// <summary>Linux: a user timeout decides instead of the count when probes are out.</summary>
    public bool UserTimeoutReplacesCount { get; init; }

    /// <summary>
    /// xnu drops whatever is not established when the timer fires, so it reaps a listener; set it per accepted socket.
    /// The BSDs are kept to the same rule.
    /// </summary>
    public bool SparesListeners { get; init; }

    /// <summary>Why a null option is missing.</summary>
    public string WhyMissing { get; init; } = "this platform has no such option per socket";

    public static KernelOptionSet For(Platform platform) => platform.Family switch
    {
        OsFamily.Linux => Linux,
        OsFamily.MacOS => MacOS,
        OsFamily.Windows => platform.Version.Build switch { >= Windows1709 => Windows, >= Windows1703 => WindowsCount, _ => WindowsClassic },
        OsFamily.FreeBSD => FreeBSD,
        OsFamily.NetBSD => NetBSD,
        OsFamily.OpenBSD => OpenBSD,
        OsFamily.Haiku => Haiku,
        OsFamily.Illumos => Illumos,
        OsFamily.Solaris => platform.Version >= new Version(11, 4) ? Solaris : SolarisClassic,
        _ => new KernelOptionSet(),
    };

    private const int Windows1703 = 15063;
    private const int Windows1709 = 16299;

    // xnu keeps these in 32 bits of milliseconds.
    private const int MacSecondsMax = 4_294_967;

    // illumos and Solaris: tcp_keepalive_interval is 10 s to 10 days.
    private const int SunSecondsMin = 10;
    private const int SunSecondsMax = 864_000;

    // tcp(7), linux/tcp.h; MAX_TCP_KEEPIDLE, _KEEPINTVL and _KEEPCNT of net/tcp.h.
    private static readonly KernelOptionSet Linux = new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPIDLE", 4, 1, 32767),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", 5, 1, 32767),
        Count = KernelOption.Probes("TCP_KEEPCNT", 6, 127),
        UserTimeout = KernelOption.Milliseconds(KernelKeepAliveOption.UserTimeout, "TCP_USER_TIMEOUT", 18, 0, int.MaxValue),
        UserTimeoutOff = 0,
        UserTimeoutReplacesCount = true,
    };

    // xnu bsd/netinet/tcp.h and tcp_usrreq.c.
    private static readonly KernelOptionSet MacOS = new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPALIVE", 0x10, 1, MacSecondsMax),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", 0x101, 1, MacSecondsMax),
        Count = KernelOption.Probes("TCP_KEEPCNT", 0x102, int.MaxValue),
        UserTimeout = KernelOption.Seconds(KernelKeepAliveOption.UserTimeout, "TCP_RXT_CONNDROPTIME", 0x80, 0, MacSecondsMax),
        UserTimeoutOff = 0,
        SparesListeners = true,
    };

    // ws2ipdef.h; learn.microsoft.com, "IPPROTO_TCP socket options". TCP_MAXRT -1 means forever, which nothing here asks for.
    private static readonly KernelOption WindowsMaxRt = KernelOption.Seconds(KernelKeepAliveOption.UserTimeout, "TCP_MAXRT", 5, 1, int.MaxValue);
    private static readonly KernelOption WindowsKeepCount = KernelOption.Probes("TCP_KEEPCNT", 16, 255);

    private static readonly KernelOptionSet Windows = new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPIDLE", 3, 1, int.MaxValue),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", 17, 1, int.MaxValue),
        Count = WindowsKeepCount,
        UserTimeout = WindowsMaxRt,
    };

    private static readonly KernelOptionSet WindowsCount = new()
    {
        Timing = TimingCall.KeepAliveVals,
        Count = WindowsKeepCount,
        UserTimeout = WindowsMaxRt,
    };

    private static readonly KernelOptionSet WindowsClassic = new()
    {
        Timing = TimingCall.KeepAliveVals,
        FixedCount = 10,
        UserTimeout = WindowsMaxRt,
        WhyMissing = "Windows before 10 version 1703 always sends 10 probes",
    };

    // FreeBSD netinet/tcp.h and tcp(4); TCP_MAXUNACKTIME is the time without progress, 0 for no check.
    private static readonly KernelOptionSet FreeBSD = new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPIDLE", 0x100, 1, int.MaxValue / 1000),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", 0x200, 1, int.MaxValue / 1000),
        Count = KernelOption.Probes("TCP_KEEPCNT", 0x400, int.MaxValue),
        UserTimeout = KernelOption.Seconds(KernelKeepAliveOption.UserTimeout, "TCP_MAXUNACKTIME", 0x44, 0, int.MaxValue / 1000),
        UserTimeoutOff = 0,
        SparesListeners = true,
    };

    // NetBSD netinet/tcp.h.
    private static readonly KernelOptionSet NetBSD = new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPIDLE", 3, 1, int.MaxValue / 1000),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", 5, 1, int.MaxValue / 1000),
        Count = KernelOption.Probes("TCP_KEEPCNT", 6, int.MaxValue),
        SparesListeners = true,
        WhyMissing = "NetBSD has no such option per socket; its own retransmission limit holds",
    };

    private static readonly KernelOptionSet OpenBSD = new()
    {
        SparesListeners = true,
        WhyMissing = "OpenBSD has no such option per socket; sysctl net.inet.tcp.keepidle and keepintvl hold for all of them",
    };

    private static readonly KernelOptionSet Haiku = new() { WhyMissing = "Haiku has no such option per socket" };

    // TCP_ABORT_THRESHOLD of tcp(4P): ms until an unacknowledged connection is dropped; 0 is for ever, so there is no "off".
    private static readonly KernelOption SunAbort =
        KernelOption.Milliseconds(KernelKeepAliveOption.UserTimeout, "TCP_ABORT_THRESHOLD", 0x11, 1, int.MaxValue);

    private static readonly KernelOptionSet Illumos = Sun(idle: 0x22, count: 0x23, interval: 0x24);

    // The numbers diverge from illumos above 0x1c.
    private static readonly KernelOptionSet Solaris = Sun(idle: 0x1d, interval: 0x1e, count: 0x1f);

    private static readonly KernelOptionSet SolarisClassic = new()
    {
        Idle = KernelOption.Milliseconds(
            KernelKeepAliveOption.Idle, "TCP_KEEPALIVE_THRESHOLD", 0x16, SunSecondsMin * 1000, SunSecondsMax * 1000),
        AbortThreshold = KernelOption.Milliseconds(KernelKeepAliveOption.Interval, "TCP_KEEPALIVE_ABORT_THRESHOLD", 0x17, 1, int.MaxValue),
        UserTimeout = SunAbort,
        WhyMissing = "Solaris before 11.4 spaces its probes itself, ever further apart, until TCP_KEEPALIVE_ABORT_THRESHOLD has passed",
    };

    private static KernelOptionSet Sun(int idle, int interval, int count) => new()
    {
        Idle = KernelOption.Seconds(KernelKeepAliveOption.Idle, "TCP_KEEPIDLE", idle, SunSecondsMin, SunSecondsMax),
        Interval = KernelOption.Seconds(KernelKeepAliveOption.Interval, "TCP_KEEPINTVL", interval, SunSecondsMin, SunSecondsMax),
        Count = KernelOption.Probes("TCP_KEEPCNT", count, int.MaxValue),
        UserTimeout = SunAbort,
    };
}
