using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Epoll;

/// <summary>What Linux has for relays and the base class library does not. Each call returns -1 on failure; errno is <see cref="Marshal.GetLastPInvokeError"/>.</summary>
internal static unsafe partial class Libc
{
    public const int EAGAIN = 11;
    public const int EINTR = 4;
    public const int EINVAL = 22;
    public const int EPROTO = 71;
    public const int ECONNABORTED = 103;
    public const int EINPROGRESS = 115;

    public const uint EPOLLIN = 0x1;
    public const uint EPOLLPRI = 0x2;
    public const uint EPOLLOUT = 0x4;
    public const uint EPOLLERR = 0x8;
    public const uint EPOLLHUP = 0x10;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLEXCLUSIVE = 0x10000000;
    public const uint EPOLLET = 0x80000000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const int EPOLL_CTL_MOD = 3;
    public const int EPOLL_CLOEXEC = 0x80000;

    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_STREAM = 1;
    public const int SHUT_WR = 1;
    public const int SOL_SOCKET = 1;
    public const int SO_ERROR = 4;
    public const int SO_KEEPALIVE = 9;
    public const int SO_OOBINLINE = 10;
    public const int SO_LINGER = 13;
    public const int IPPROTO_TCP = 6;
    public const int TCP_NODELAY = 1;
    public const int TCP_CONGESTION = 13;
    public const int MSG_OOB = 0x1;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;
    public const uint SPLICE_F_MOVE = 1;
    public const uint SPLICE_F_NONBLOCK = 2;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int F_SETFL = 4;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const int F_SETPIPE_SZ = 1031;
    public const int F_GETPIPE_SZ = 1032;

    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int fd, void* events);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int epoll_wait(int epoll, void* events, int most, int timeoutMs);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(int fd, void* bytes, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int pipe2(int* ends, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fcntl(int fd, int command, int argument);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint splice(int from, long* fromAt, int to, long* toAt, nuint most, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint recv(int fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint send(int fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockopt(int fd, int level, int name, void* value, int* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int name, void* value, int length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int accept4(int fd, byte* address, int* length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getpeername(int fd, byte* address, int* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockname(int fd, byte* address, int* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int shutdown(int fd, int how);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int connect(int fd, byte* address, int length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int fd);

    /// <summary>Adds one to an eventfd(2).</summary>
    public static void Ring(int eventFd)
    {
        ulong one = 1;
        _ = write(eventFd, &one, sizeof(ulong));
    }

    /// <summary>A TCP socket, non-blocking.</summary>
    public static int Socket(AddressFamily family) =>
        socket(family == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET, SOCK_STREAM | O_NONBLOCK | O_CLOEXEC, 0);

    /// <summary>Sets an option that is a number; 0 or errno.</summary>
    public static int Set(int fd, int level, int name, int value) =>
        setsockopt(fd, level, name, &value, sizeof(int)) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Performs a plan; 0, or the errno of the last step that failed.</summary>
    public static int Set(int fd, IReadOnlyList<PlanStep> steps)
    {
        int errno = 0;
        for (int i = 0; i < steps.Count; i++) // no enumerator: it is done for thousands of sockets at once
        {
            int failed = steps[i] switch
            {
                SwitchStep change => Set(fd, SOL_SOCKET, SO_KEEPALIVE, change.On ? 1 : 0),
                OptionStep option => Set(fd, IPPROTO_TCP, option.Option.Number, option.Value),
                _ => 0, // Windows'
            };
            if (failed != 0) errno = failed;
        }

        return errno;
    }

    /// <summary>Closes with RST (socket(7), SO_LINGER with a time of 0).</summary>
    public static void Reset(int fd)
    {
        int* linger = stackalloc int[2] { 1, 0 };
        _ = setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, 2 * sizeof(int));
        _ = close(fd);
    }

    /// <summary>What a socket has failed with, 0 for nothing; asked once, it is forgotten (socket(7), SO_ERROR).</summary>
    public static int ErrorOf(int fd)
    {
        int errno, length = sizeof(int);
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &length) == 0 ? errno : Marshal.GetLastPInvokeError();
    }

    // asm-generic/errno.h
    public static SocketError ToSocketError(int errno) => errno switch
    {
        0 => SocketError.Success,
        13 => SocketError.AccessDenied,        // EACCES
        24 => SocketError.TooManyOpenSockets,  // EMFILE
        32 => SocketError.Shutdown,            // EPIPE
        99 => SocketError.AddressNotAvailable, // EADDRNOTAVAIL
        101 => SocketError.NetworkUnreachable, // ENETUNREACH
        103 => SocketError.ConnectionAborted,  // ECONNABORTED
        104 => SocketError.ConnectionReset,    // ECONNRESET
        105 => SocketError.NoBufferSpaceAvailable, // ENOBUFS
        107 => SocketError.NotConnected,       // ENOTCONN
        110 => SocketError.TimedOut,           // ETIMEDOUT
        111 => SocketError.ConnectionRefused,  // ECONNREFUSED
        113 => SocketError.HostUnreachable,    // EHOSTUNREACH
        _ => SocketError.SocketError,
    };
}
