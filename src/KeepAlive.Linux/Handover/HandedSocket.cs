using System.Globalization;
using System.Net.Sockets;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Handover;

/// <summary>Sockets that another process has opened.</summary>
internal static class HandedSocket
{
    private const int FirstPassed = 3; // SD_LISTEN_FDS_START
    private const int F_DUPFD_CLOEXEC = 1030;
    private const int FD_CLOEXEC = 1;
    private const int SOL_SOCKET = 1;
    private const int SO_ACCEPTCONN = 30;

    /// <summary>The listeners that an init system has passed to this process (sd_listen_fds(3)), by their names; what is no TCP listener is left alone.</summary>
    /// <param name="listenPid">LISTEN_PID: whom they are for.</param>
    /// <param name="listenFds">LISTEN_FDS: how many, from descriptor 3 on.</param>
    /// <param name="names">LISTEN_FDNAMES, with colons between; may be missing.</param>
    public static IReadOnlyList<(string Name, Socket Listener)> Passed(string? listenPid, string? listenFds, string? names)
    {
        if (listenPid != Environment.ProcessId.ToString(CultureInfo.InvariantCulture) || !ushort.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out ushort count)) return [];
        string[] all = (names ?? "").Split(':');
        var listeners = new List<(string, Socket)>();
        for (int i = 0; i < count; i++)
        {
            int fd = FirstPassed + i;
            if (Libc.fcntl(fd, Libc.F_SETFD, FD_CLOEXEC) != 0 || !IsTcpListener(fd)) continue;
            if (Own(fd) is { } listener) listeners.Add((i < all.Length ? all[i] : "", listener));
        }

        return listeners;
    }

    /// <summary>Another descriptor of the same socket.</summary>
    /// <exception cref="SyscallException">None is left.</exception>
    public static Socket Duplicate(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        int fd = Libc.fcntl((int)socket.SafeHandle.DangerousGetHandle(), F_DUPFD_CLOEXEC, FirstPassed);
        Errno.Check(fd, "fcntl(F_DUPFD_CLOEXEC)");
        return Own(fd) ?? throw new SyscallException("fcntl(F_DUPFD_CLOEXEC)", Errno.EBADF);
    }

    // Null for what is no socket: then it is closed.
    internal static Socket? Own(int fd)
    {
        var handle = new SafeSocketHandle(fd, ownsHandle: true);
        try
        {
            return new Socket(handle);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            handle.Dispose();
            return null;
        }
    }

    private static bool IsTcpListener(int fd) => Option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 && Option(fd, SOL_SOCKET, SocketOption.SO_PROTOCOL) == Libc.IPPROTO_TCP;

    private static unsafe int Option(int fd, int level, int name)
    {
        int value = 0, length = sizeof(int);
        return Libc.getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
    }
}
