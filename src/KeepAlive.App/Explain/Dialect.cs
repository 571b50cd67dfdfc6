using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>How one product spells a policy.</summary>
/// <param name="Name">As in <c>--as</c>.</param>
/// <param name="Title">The product, and where the lines go.</param>
/// <param name="Comment">What begins a comment in its configuration; null where there are none.</param>
/// <param name="Write">The lines for keepalive on with these numbers; a line that starts with <c>!</c> becomes a comment.</param>
/// <param name="Off">The lines that switch it off.</param>
/// <param name="On">The lines that switch it on with the machine's own values.</param>
internal sealed record Dialect(string Name, string Title, string Comment, Func<KernelNumbers, string[]> Write, string[] Off, string[] On)
{
    /// <summary>The snippet, ready to paste.</summary>
    public IReadOnlyList<string> Render(KeepAliveSpec spec)
    {
        if (!spec.IsOn) return AsComments(Off);
        if (spec.Policy is not { } policy) return AsComments(On);
        KernelNumbers numbers = KernelNumbers.Of(policy);
        string[] lines = Write(numbers);
        return AsComments(numbers.Rounded is null ? lines : [$"!{numbers.Rounded}", .. lines]);
    }

    private string[] AsComments(string[] lines) => [.. lines.Select(l => l.StartsWith('!') ? $"{Comment} {l[1..]}" : l)];

    /// <summary>Every dialect, by name.</summary>
    public static IReadOnlyList<Dialect> All { get; } = [.. Servers(), .. Languages(), .. Machines()];

    public static Dialect? Find(string name) => All.FirstOrDefault(d => d.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static string T(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<Dialect> Servers() =>
    [
        new("proftpd", "ProFTPD, proftpd.conf (before 1.3.8 it reached data connections only)", "#",
            n => [T($"SocketOptions keepalive {n.Idle}:{n.Count}:{n.Interval}")],
            ["SocketOptions keepalive off"], ["SocketOptions keepalive on"]),
        new("nginx", "nginx, listen (its order is idle:interval:count)", "#",
            n => [T($"listen 443 so_keepalive={n.Idle}s:{n.Interval}s:{n.Count};")],
            ["listen 443 so_keepalive=off;"], ["listen 443 so_keepalive=on;"]),
        new("haproxy", "HAProxy, defaults, frontend and backend", "#",
            n =>
            [
                "option clitcpka", T($"clitcpka-idle {n.Idle}s"), T($"clitcpka-cnt {n.Count}"), T($"clitcpka-intvl {n.Interval}s"),
                "option srvtcpka", T($"srvtcpka-idle {n.Idle}s"), T($"srvtcpka-cnt {n.Count}"), T($"srvtcpka-intvl {n.Interval}s"),
                T($"!on bind and server lines, for unacknowledged data: tcp-ut {n.Detection}s"),
            ],
            ["no option clitcpka", "no option srvtcpka"], ["option clitcpka", "option srvtcpka"]),
        new("envoy", "Envoy, cluster.upstream_connection_options (listener: tcp_keepalive alike)", "#",
            n => ["tcp_keepalive:", T($"  keepalive_time: {n.Idle}"), T($"  keepalive_probes: {n.Count}"), T($"  keepalive_interval: {n.Interval}")],
            ["!leave tcp_keepalive out: unset is off"], ["tcp_keepalive: {}"]),
        new("postgresql", "PostgreSQL, postgresql.conf (libpq: keepalives_idle, keepalives_count, keepalives_interval)", "#",
            n =>
            [
                T($"tcp_keepalives_idle = {n.Idle}"), T($"tcp_keepalives_count = {n.Count}"), T($"tcp_keepalives_interval = {n.Interval}"),
                T($"tcp_user_timeout = {n.Detection * 1000}"),
            ],
            ["!the server cannot switch it off; in libpq: keepalives=0"], ["tcp_keepalives_idle = 0", "tcp_keepalives_count = 0", "tcp_keepalives_interval = 0"]),
        new("redis", "Redis, redis.conf", "#",
            n => [T($"tcp-keepalive {n.Idle}"), T($"!Redis derives the rest: count 3, interval {Math.Max(1, n.Idle / 3)}s, not {n.Count} and {n.Interval}s")],
            ["tcp-keepalive 0"], ["tcp-keepalive 300"]),
        new("openssh", "OpenSSH, sshd_config (ssh_config: ServerAliveInterval, ServerAliveCountMax)", "#", OpenSsh,
            ["ClientAliveInterval 0"], ["TCPKeepAlive yes"]),
        new("systemd", "systemd, [Socket] of a .socket unit", "#",
            n => ["KeepAlive=yes", T($"KeepAliveTimeSec={n.Idle}"), T($"KeepAliveProbes={n.Count}"), T($"KeepAliveIntervalSec={n.Interval}")],
            ["KeepAlive=no"], ["KeepAlive=yes"]),
    ];

    // OpenSSH has one number for idle and interval, and gives up when the count of unanswered messages would pass its
    // maximum: interval × (maximum + 1) after the last packet (serverloop.c, clientloop.c).
    private static string[] OpenSsh(KernelNumbers n)
    {
        long max = Math.Max(1, (n.Detection / n.Idle) - 1), dead = n.Idle * (max + 1);
        string text(long seconds) => Duration.Format(TimeSpan.FromSeconds(seconds));
        return
        [
            T($"ClientAliveInterval {n.Idle}"), T($"ClientAliveCountMax {max}"),
            $"!one interval for idle and between messages: dead after {text(dead)}" + (dead == n.Detection ? "" : $", not {text(n.Detection)}"),
        ];
    }

    private static IEnumerable<Dialect> Languages() =>
    [
        new("java", "Java 11 and later", "//",
            n =>
            [
                "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);",
                T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, {n.Idle});"), T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, {n.Count});"),
                T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, {n.Interval});"),
            ],
            ["socket.setOption(StandardSocketOptions.SO_KEEPALIVE, false);"], ["socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);"]),
        new("go", "Go 1.23 and later", "//",
            n =>
            [
                "dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{",
                T($"\tEnable: true, Idle: {n.Idle} * time.Second, Count: {n.Count}, Interval: {n.Interval} * time.Second,"), "}}",
            ],
            ["dialer := net.Dialer{KeepAlive: -1}"], ["dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Count: -1, Interval: -1}}"]),
        new("dotnet", ".NET, KeepAlive.Sockets, which reads back and sets the user timeout too", "//",
            n => [T($"KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse(\"{n.Idle}:{n.Count}:{n.Interval}\"));")],
            ["KernelKeepAlive.Apply(socket, KeepAliveSpec.Off);"], ["KernelKeepAlive.Apply(socket, KeepAliveSpec.On);"]),
        new("curl", "curl", "#",
            n => [T($"curl --keepalive-time {n.Idle} --keepalive-cnt {n.Count}"), T($"!curl uses the time for the interval as well: {n.Idle}s, not {n.Interval}s")],
            ["curl --no-keepalive"], ["!on by default, 60s"]),
    ];

    private static IEnumerable<Dialect> Machines() =>
    [
        new("sysctl", "Linux, sysctl.d (for programs that switch keepalive on themselves; new connections only)", "#",
            n => [T($"net.ipv4.tcp_keepalive_time = {n.Idle}"), T($"net.ipv4.tcp_keepalive_probes = {n.Count}"), T($"net.ipv4.tcp_keepalive_intvl = {n.Interval}")],
            ["!Linux has no setting that switches it off, or on, for all"], ["!Linux has no setting that switches it off, or on, for all"]),
        new("macos", "macOS, sysctl.conf (milliseconds)", "#",
            n => [T($"net.inet.tcp.keepidle={n.Idle * 1000}"), T($"net.inet.tcp.keepcnt={n.Count}"), T($"net.inet.tcp.keepintvl={n.Interval * 1000}")],
            ["net.inet.tcp.always_keepalive=0"], ["net.inet.tcp.always_keepalive=1"]),
        new("windows", "Windows, as administrator (milliseconds; the count is fixed at 10, or set per socket)", "::",
            n =>
            [
                T($@"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveTime /t REG_DWORD /d {n.Idle * 1000} /f"),
                T($@"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveInterval /t REG_DWORD /d {n.Interval * 1000} /f"),
            ],
            ["!Windows has no setting that switches it off, or on, for all"], ["!Windows has no setting that switches it off, or on, for all"]),
    ];
}
