namespace KeepAlive.Tests.App;

/// <summary>Every snippet of three policies, written out: what a user pastes.</summary>
internal static class ExplainSnippets
{
    /// <summary>7200:9:75.</summary>
    public const string Defaults =
        """
        --- proftpd
        SocketOptions keepalive 7200:9:75
        --- nginx
        listen 443 so_keepalive=7200s:75s:9;
        --- haproxy
        option clitcpka
        clitcpka-idle 7200s
        clitcpka-cnt 9
        clitcpka-intvl 75s
        option srvtcpka
        srvtcpka-idle 7200s
        srvtcpka-cnt 9
        srvtcpka-intvl 75s
        # no tcp-ut: it would replace Linux's own limit for unacknowledged data, about 15 minutes, by a longer one
        --- envoy
        tcp_keepalive:
          keepalive_time: 7200
          keepalive_probes: 9
          keepalive_interval: 75
        --- postgresql
        tcp_keepalives_idle = 7200
        tcp_keepalives_count = 9
        tcp_keepalives_interval = 75
        # no tcp_user_timeout: it would replace Linux's own limit for unacknowledged data, about 15 minutes, by a longer one
        --- redis
        # Redis derives the rest from idle: count 3, not 9; interval 40m0s, not 1m15s; dead after 4h0m0s, not 2h11m15s
        tcp-keepalive 7200
        --- sshd
        # OpenSSH has one number for idle and interval: first message after 1h5m37s, not 2h0m0s; unanswered messages 1, not 9; dead after 2h11m14s, not 2h11m15s
        ClientAliveInterval 3937
        ClientAliveCountMax 1
        --- systemd
        [Socket]
        KeepAlive=yes
        KeepAliveTimeSec=7200
        KeepAliveProbes=9
        KeepAliveIntervalSec=75
        --- openssh
        # OpenSSH has one number for idle and interval: first message after 1h5m37s, not 2h0m0s; unanswered messages 1, not 9; dead after 2h11m14s, not 2h11m15s
        ServerAliveInterval 3937
        ServerAliveCountMax 1
        --- libpq
        keepalives=1
        keepalives_idle=7200
        keepalives_count=9
        keepalives_interval=75
        --- curl
        # curl takes idle for the interval too: interval 2h0m0s, not 1m15s; dead after 20h0m0s, not 2h11m15s
        keepalive-time = 7200
        keepalive-cnt = 9
        --- java
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 7200);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 9);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 75);
        --- go
        dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
        	Enable: true, Idle: 7200 * time.Second, Count: 9, Interval: 75 * time.Second,
        }}
        --- dotnet
        // with KeepAlive.Sockets, read back and with the user timeout: KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse("7200:9:75"));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 7200);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 9);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 75);
        --- sysctl
        net.ipv4.tcp_keepalive_time = 7200
        net.ipv4.tcp_keepalive_probes = 9
        net.ipv4.tcp_keepalive_intvl = 75
        --- macos
        net.inet.tcp.keepidle=7200000
        net.inet.tcp.keepcnt=9
        net.inet.tcp.keepintvl=75000
        --- windows
        :: Windows has no setting for the count: count 10, not 9; dead after 2h12m30s, not 2h11m15s
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveTime /t REG_DWORD /d 7200000 /f
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveInterval /t REG_DWORD /d 75000 /f
        """;

    /// <summary>60:4:15.</summary>
    public const string Common =
        """
        --- proftpd
        SocketOptions keepalive 60:4:15
        --- nginx
        listen 443 so_keepalive=60s:15s:4;
        --- haproxy
        option clitcpka
        clitcpka-idle 60s
        clitcpka-cnt 4
        clitcpka-intvl 15s
        option srvtcpka
        srvtcpka-idle 60s
        srvtcpka-cnt 4
        srvtcpka-intvl 15s
        # and for unacknowledged data, on bind and server lines: tcp-ut 120s
        --- envoy
        tcp_keepalive:
          keepalive_time: 60
          keepalive_probes: 4
          keepalive_interval: 15
        --- postgresql
        tcp_keepalives_idle = 60
        tcp_keepalives_count = 4
        tcp_keepalives_interval = 15
        tcp_user_timeout = 120000
        --- redis
        # Redis derives the rest from idle: count 3, not 4; interval 20s, not 15s
        tcp-keepalive 60
        --- sshd
        # OpenSSH has one number for idle and interval: unanswered messages 1, not 4
        ClientAliveInterval 60
        ClientAliveCountMax 1
        --- systemd
        [Socket]
        KeepAlive=yes
        KeepAliveTimeSec=60
        KeepAliveProbes=4
        KeepAliveIntervalSec=15
        --- openssh
        # OpenSSH has one number for idle and interval: unanswered messages 1, not 4
        ServerAliveInterval 60
        ServerAliveCountMax 1
        --- libpq
        keepalives=1
        keepalives_idle=60
        keepalives_count=4
        keepalives_interval=15
        tcp_user_timeout=120000
        --- curl
        # curl takes idle for the interval too: interval 60s, not 15s; dead after 5m0s, not 2m0s
        keepalive-time = 60
        keepalive-cnt = 4
        --- java
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 60);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 4);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 15);
        --- go
        dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
        	Enable: true, Idle: 60 * time.Second, Count: 4, Interval: 15 * time.Second,
        }}
        --- dotnet
        // with KeepAlive.Sockets, read back and with the user timeout: KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse("60:4:15"));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
        --- sysctl
        net.ipv4.tcp_keepalive_time = 60
        net.ipv4.tcp_keepalive_probes = 4
        net.ipv4.tcp_keepalive_intvl = 15
        --- macos
        net.inet.tcp.keepidle=60000
        net.inet.tcp.keepcnt=4
        net.inet.tcp.keepintvl=15000
        --- windows
        :: Windows has no setting for the count: count 10, not 4; dead after 3m30s, not 2m0s
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveTime /t REG_DWORD /d 60000 /f
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveInterval /t REG_DWORD /d 15000 /f
        """;

    /// <summary>500ms:3:1s.</summary>
    public const string SubSecond =
        """
        --- proftpd
        # idle 1s, not 500ms: whole seconds only
        SocketOptions keepalive 1:3:1
        --- nginx
        # idle 1s, not 500ms: whole seconds only
        listen 443 so_keepalive=1s:1s:3;
        --- haproxy
        # idle 1s, not 500ms: whole seconds only
        option clitcpka
        clitcpka-idle 1s
        clitcpka-cnt 3
        clitcpka-intvl 1s
        option srvtcpka
        srvtcpka-idle 1s
        srvtcpka-cnt 3
        srvtcpka-intvl 1s
        # and for unacknowledged data, on bind and server lines: tcp-ut 4s
        --- envoy
        # idle 1s, not 500ms: whole seconds only
        tcp_keepalive:
          keepalive_time: 1
          keepalive_probes: 3
          keepalive_interval: 1
        --- postgresql
        # idle 1s, not 500ms: whole seconds only
        tcp_keepalives_idle = 1
        tcp_keepalives_count = 3
        tcp_keepalives_interval = 1
        tcp_user_timeout = 4000
        --- redis
        # idle 1s, not 500ms: whole seconds only
        tcp-keepalive 1
        --- sshd
        # idle 1s, not 500ms: whole seconds only
        ClientAliveInterval 1
        ClientAliveCountMax 3
        --- systemd
        # idle 1s, not 500ms: whole seconds only
        [Socket]
        KeepAlive=yes
        KeepAliveTimeSec=1
        KeepAliveProbes=3
        KeepAliveIntervalSec=1
        --- openssh
        # idle 1s, not 500ms: whole seconds only
        ServerAliveInterval 1
        ServerAliveCountMax 3
        --- libpq
        # idle 1s, not 500ms: whole seconds only
        keepalives=1
        keepalives_idle=1
        keepalives_count=3
        keepalives_interval=1
        tcp_user_timeout=4000
        --- curl
        # idle 1s, not 500ms: whole seconds only
        keepalive-time = 1
        keepalive-cnt = 3
        --- java
        // idle 1s, not 500ms: whole seconds only
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 1);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 3);
        socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 1);
        --- go
        // idle 1s, not 500ms: whole seconds only
        dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
        	Enable: true, Idle: 1 * time.Second, Count: 3, Interval: 1 * time.Second,
        }}
        --- dotnet
        // idle 1s, not 500ms: whole seconds only
        // with KeepAlive.Sockets, read back and with the user timeout: KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse("500ms:3:1"));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        --- sysctl
        # idle 1s, not 500ms: whole seconds only
        net.ipv4.tcp_keepalive_time = 1
        net.ipv4.tcp_keepalive_probes = 3
        net.ipv4.tcp_keepalive_intvl = 1
        --- macos
        net.inet.tcp.keepidle=500
        net.inet.tcp.keepcnt=3
        net.inet.tcp.keepintvl=1000
        --- windows
        :: Windows has no setting for the count: count 10, not 3; dead after 10.5s, not 3.5s
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveTime /t REG_DWORD /d 500 /f
        reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v KeepAliveInterval /t REG_DWORD /d 1000 /f
        """;
}
