using static KeepAlive.App.Explain.Dialect;

namespace KeepAlive.App.Explain;

/// <summary>Client programs, libraries and languages.</summary>
internal static class ProgramDialects
{
    public static IReadOnlyList<Dialect> All { get; } =
    [
        new("openssh", "OpenSSH, ssh_config (servers: --as sshd)", "#", KernelLimits.WholeSeconds,
            n => ServerDialects.SshAlive("Server", n),
            ["ServerAliveInterval 0", "TCPKeepAlive no"], ["TCPKeepAlive yes"]),
        new("libpq", "libpq (psql, most PostgreSQL drivers), in a section of pg_service.conf; same names in a connection string", "#", KernelLimits.Linux,
            n =>
            [
                "keepalives=1", T($"keepalives_idle={n.Idle}"), T($"keepalives_count={n.Count}"), T($"keepalives_interval={n.Interval}"),
                .. n.UserTimeout is { } timeout ? [T($"tcp_user_timeout={(long)timeout.TotalMilliseconds}")] : (string[])[],
            ],
            ["keepalives=0"], ["keepalives=1"]),
        new("curl", "curl, in .curlrc or with -- on the command line (keepalive-cnt: 8.9.0)", "#", KernelLimits.Linux,
            n =>
            [
                .. Differs("curl takes idle for the interval too",
                    ("interval", Text(n.IdleTime), Text(n.IntervalTime)), ("dead after", Text(n.IdleTime * (n.Count + 1)), Text(n.DetectionTime))),
                T($"keepalive-time = {n.Idle}"), T($"keepalive-cnt = {n.Count}"),
            ],
            ["no-keepalive"], ["!on unless told otherwise, 60:9:60"]),
        new("java", "Java 11 and later (java.net.StandardSocketOptions, jdk.net.ExtendedSocketOptions)", "//", KernelLimits.Linux,
            n =>
            [
                "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);",
                T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, {n.Idle});"),
                T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, {n.Count});"),
                T($"socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, {n.Interval});"),
            ],
            ["socket.setOption(StandardSocketOptions.SO_KEEPALIVE, false);"], ["socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);"]),
        new("go", "Go 1.23 and later (net.ListenConfig has the same field)", "//", KernelLimits.Linux,
            n =>
            [
                "dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{",
                T($"\tEnable: true, Idle: {n.Idle} * time.Second, Count: {n.Count}, Interval: {n.Interval} * time.Second,"), "}}",
            ],
            ["dialer := net.Dialer{KeepAlive: -1}"], ["dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: -1, Count: -1, Interval: -1}}"]),
        new("dotnet", ".NET, after connect", "//", KernelLimits.Linux,
            n =>
            [
                $"!with KeepAlive.Sockets, read back and with the user timeout: KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse(\"{n.Asked}\"));",
                "socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);",
                T($"socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, {n.Idle});"),
                T($"socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, {n.Count});"),
                T($"socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, {n.Interval});"),
            ],
            ["socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, false);"],
            ["socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);"]),
    ];
}
