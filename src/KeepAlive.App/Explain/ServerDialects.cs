using static KeepAlive.App.Explain.Dialect;

namespace KeepAlive.App.Explain;

/// <summary>Servers and proxies. Sources: their manuals, and for derived values their code.</summary>
internal static class ServerDialects
{
    // tcp_timer.c, tcp_write_timeout: the user timeout replaces the limit of tcp_retries2 instead of adding one.
    private const string NoUserTimeout = "would replace Linux's own limit for unacknowledged data, about 15 minutes, by a longer one";

    public static IReadOnlyList<Dialect> All { get; } =
    [
        new("proftpd", "ProFTPD, proftpd.conf (before 1.3.8 it reached data connections only)", "#", KernelLimits.Linux,
            n => [T($"SocketOptions keepalive {n.Idle}:{n.Count}:{n.Interval}")],
            ["SocketOptions keepalive off"], ["SocketOptions keepalive on"]),
        new("nginx", "nginx, listen (its order is idle:interval:count)", "#", KernelLimits.Linux,
            n => [T($"listen 443 so_keepalive={n.Idle}s:{n.Interval}s:{n.Count};")],
            ["listen 443 so_keepalive=off;"], ["listen 443 so_keepalive=on;"]),
        new("haproxy", "HAProxy, defaults (clitcpka: also frontend; srvtcpka: also backend)", "#", KernelLimits.Linux, HaProxy,
            ["no option clitcpka", "no option srvtcpka"], ["option clitcpka", "option srvtcpka"]),
        new("envoy", "Envoy, cluster.upstream_connection_options (listener: tcp_keepalive alike)", "#", KernelLimits.Linux,
            n => ["tcp_keepalive:", T($"  keepalive_time: {n.Idle}"), T($"  keepalive_probes: {n.Count}"), T($"  keepalive_interval: {n.Interval}")],
            ["!leave tcp_keepalive out: unset is off"], ["tcp_keepalive: {}"]),
        new("postgresql", "PostgreSQL, postgresql.conf (clients: --as libpq)", "#", KernelLimits.Linux,
            n =>
            [
                T($"tcp_keepalives_idle = {n.Idle}"), T($"tcp_keepalives_count = {n.Count}"), T($"tcp_keepalives_interval = {n.Interval}"),
                n.UserTimeout is { } timeout ? T($"tcp_user_timeout = {(long)timeout.TotalMilliseconds}") : $"!no tcp_user_timeout: it {NoUserTimeout}",
            ],
            ["!the server cannot switch it off; clients can: keepalives=0"],
            ["tcp_keepalives_idle = 0", "tcp_keepalives_count = 0", "tcp_keepalives_interval = 0"]),
        new("redis", "Redis, redis.conf", "#", KernelLimits.Linux, Redis,
            ["tcp-keepalive 0"], ["!Redis always sets numbers of its own; this is its default", "tcp-keepalive 300"]),
        new("sshd", "OpenSSH, sshd_config (clients: --as openssh)", "#", KernelLimits.WholeSeconds,
            n => SshAlive("Client", n),
            ["ClientAliveInterval 0", "TCPKeepAlive no"], ["TCPKeepAlive yes"]),
        new("systemd", "systemd, a .socket unit", "#", KernelLimits.Linux,
            n => ["[Socket]", "KeepAlive=yes", T($"KeepAliveTimeSec={n.Idle}"), T($"KeepAliveProbes={n.Count}"), T($"KeepAliveIntervalSec={n.Interval}")],
            ["[Socket]", "KeepAlive=no"], ["[Socket]", "KeepAlive=yes"]),
    ];

    /// <summary>
    /// OpenSSH has one number for idle and interval, and gives up when one message more than its maximum would be due:
    /// (maximum + 1) intervals after the last packet (serverloop.c, clientloop.c). So the interval is an even part of the
    /// detection time, the longest that is not above idle.
    /// </summary>
    public static IEnumerable<string> SshAlive(string side, KernelNumbers n)
    {
        long detection = (long)n.DetectionTime.TotalSeconds, parts = Math.Max(2, (detection + n.Idle - 1) / n.Idle), interval = detection / parts;
        return
        [
            .. Differs("OpenSSH has one number for idle and interval",
                ("first message after", Text(TimeSpan.FromSeconds(interval)), Text(n.IdleTime)),
                ("unanswered messages", T($"{parts - 1}"), T($"{n.Count}")),
                ("dead after", Text(TimeSpan.FromSeconds(interval * parts)), Text(n.DetectionTime))),
            T($"{side}AliveInterval {interval}"), T($"{side}AliveCountMax {parts - 1}"),
        ];
    }

    private static IEnumerable<string> HaProxy(KernelNumbers n) =>
    [
        "option clitcpka", T($"clitcpka-idle {n.Idle}s"), T($"clitcpka-cnt {n.Count}"), T($"clitcpka-intvl {n.Interval}s"),
        "option srvtcpka", T($"srvtcpka-idle {n.Idle}s"), T($"srvtcpka-cnt {n.Count}"), T($"srvtcpka-intvl {n.Interval}s"),
        n.UserTimeout is { } timeout
            ? T($"!and for unacknowledged data, on bind and server lines: tcp-ut {(long)timeout.TotalSeconds}s") : $"!no tcp-ut: it {NoUserTimeout}",
    ];

    // src/anet.c, anetKeepAlive: the interval is a third of the idle time, at least 1 s, and the count is 3.
    private static IEnumerable<string> Redis(KernelNumbers n)
    {
        TimeSpan interval = TimeSpan.FromSeconds(Math.Max(1, n.Idle / 3));
        return
        [
            .. Differs("Redis derives the rest from idle",
                ("count", "3", T($"{n.Count}")), ("interval", Text(interval), Text(n.IntervalTime)), ("dead after", Text(n.IdleTime + (3 * interval)), Text(n.DetectionTime))),
            T($"tcp-keepalive {n.Idle}"),
        ];
    }
}
