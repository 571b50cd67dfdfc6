namespace KeepAlive.App.Explain;

/// <summary>How a kernel or product counts: its unit of time, and the most it takes.</summary>
/// <param name="Whose">Who takes no more, for the note that says so.</param>
/// <param name="Unit">Times are whole numbers of it.</param>
/// <param name="UnitName">Its name in the plural.</param>
/// <param name="TimeMax">The longest idle or interval.</param>
/// <param name="CountMax">The most probes.</param>
internal sealed record KernelLimits(string Whose, TimeSpan Unit, string UnitName, TimeSpan TimeMax, int CountMax)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    /// <summary>tcp(7), include/net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL 32767 s, MAX_TCP_KEEPCNT 127; more is EINVAL.</summary>
    public static KernelLimits Linux { get; } = new("Linux", Second, "seconds", TimeSpan.FromSeconds(32767), 127);

    /// <summary>sysctl(8) of Darwin: milliseconds in 32 bits.</summary>
    public static KernelLimits MacOS { get; } = new("macOS", Millisecond, "milliseconds", TimeSpan.FromMilliseconds(uint.MaxValue), int.MaxValue);

    /// <summary>KeepAliveTime and KeepAliveInterval: milliseconds in a REG_DWORD.</summary>
    public static KernelLimits Windows { get; } = new("Windows", Millisecond, "milliseconds", TimeSpan.FromMilliseconds(uint.MaxValue), int.MaxValue);

    /// <summary>Programs that send messages of their own, on their own clock (OpenSSH).</summary>
    public static KernelLimits WholeSeconds { get; } = new("it", Second, "seconds", TimeSpan.FromSeconds(int.MaxValue), int.MaxValue);
}
