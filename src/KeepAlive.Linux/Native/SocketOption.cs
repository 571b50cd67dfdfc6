namespace KeepAlive.Linux.Native;

/// <summary>The socket options of keepalive by the kernel's names and numbers (asm-generic/socket.h, linux/tcp.h).</summary>
internal static class SocketOption
{
    public const int SOL_SOCKET = 1;
    public const int SO_KEEPALIVE = 9;
    public const int SO_PROTOCOL = 38;
    public const int SO_DOMAIN = 39;
    public const int SO_COOKIE = 57;

    public const int SOL_TCP = 6;
    public const int TCP_KEEPIDLE = 4;
    public const int TCP_KEEPINTVL = 5;
    public const int TCP_KEEPCNT = 6;
    public const int TCP_USER_TIMEOUT = 18;
}
