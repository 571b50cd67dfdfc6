using static KeepAlive.App.Explain.Dialect;

namespace KeepAlive.App.Explain;

/// <summary>The defaults of a whole machine, for programs that switch keepalive on and set no numbers.</summary>
internal static class MachineDialects
{
    // MicrosoftDocs: since Vista ten probes, unless a program sets TCP_KEEPCNT.
    private const int WindowsCount = 10;

    public static IReadOnlyList<Dialect> All { get; } =
    [
        new("sysctl", "Linux, sysctl.d (for programs that switch keepalive on themselves; new connections only)", "#", KernelLimits.Linux,
            n => [T($"net.ipv4.tcp_keepalive_time = {n.Idle}"), T($"net.ipv4.tcp_keepalive_probes = {n.Count}"), T($"net.ipv4.tcp_keepalive_intvl = {n.Interval}")],
            ["!Linux has no setting that switches it off, or on, for all"], ["!Linux has no setting that switches it off, or on, for all"]),
        new("macos", "macOS, sysctl.conf (milliseconds)", "#", KernelLimits.MacOS,
            n => [T($"net.inet.tcp.keepidle={n.Idle}"), T($"net.inet.tcp.keepcnt={n.Count}"), T($"net.inet.tcp.keepintvl={n.Interval}")],
            ["!not for programs that switch it on themselves", "net.inet.tcp.always_keepalive=0"], ["net.inet.tcp.always_keepalive=1"]),
        new("windows", "Windows, as administrator, then restart (milliseconds)", "::", KernelLimits.Windows,
            n =>
            [
                .. Differs("Windows has no setting for the count",
                    ("count", T($"{WindowsCount}"), T($"{n.Count}")), ("dead after", Text(n.IdleTime + (WindowsCount * n.IntervalTime)), Text(n.DetectionTime))),
                Registry("KeepAliveTime", n.Idle), Registry("KeepAliveInterval", n.Interval),
            ],
            ["!Windows has no setting that switches it off, or on, for all"], ["!Windows has no setting that switches it off, or on, for all"]),
    ];

    private static string Registry(string name, long value) =>
        T($@"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v {name} /t REG_DWORD /d {value} /f");
}
