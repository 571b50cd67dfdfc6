using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;
using static KeepAlive.Linux.Native.SocketOption;

namespace KeepAlive.Linux.Processes;

/// <summary>
/// A socket of another process, borrowed through pidfd_getfd(2) (Linux 5.6): the same open socket, so options read and
/// set here are the program's own. Only options are touched: file status flags are shared with the owner.
/// </summary>
internal sealed unsafe class BorrowedSocket : IDisposable
{
    private readonly OwnedFd _fd;

    private BorrowedSocket(OwnedFd fd) => _fd = fd;

    /// <summary>Borrows descriptor <paramref name="fd"/> of the process, if it still is the socket of this cookie.</summary>
    /// <returns>Null when it is another by now, or was closed.</returns>
    /// <exception cref="SyscallException">No right (ptrace access to the process), or no such process.</exception>
    public static BorrowedSocket? Borrow(OwnedFd process, int fd, ulong cookie)
    {
        nint borrowed = Libc.syscall(Numbers.PidfdGetfd, process.Fd, fd, 0, 0, 0);
        if (borrowed < 0 && Marshal.GetLastPInvokeError() == Errno.EBADF) return null;
        var socket = new BorrowedSocket(new OwnedFd(Errno.Check(borrowed, "pidfd_getfd")));
        ulong found;
        int length = sizeof(ulong);
        if (Libc.getsockopt(socket._fd.Fd, SOL_SOCKET, SO_COOKIE, &found, &length) == 0 && found == cookie) return socket;
        socket.Dispose();
        return null;
    }

    /// <summary>Borrows descriptor <paramref name="fd"/> of the process, if it is a TCP socket.</summary>
    /// <returns>Null when it is something else, or was closed.</returns>
    /// <exception cref="SyscallException">No right (ptrace access to the process), or no such process.</exception>
    public static BorrowedSocket? BorrowTcp(OwnedFd process, int fd)
    {
        nint borrowed = Libc.syscall(Numbers.PidfdGetfd, process.Fd, fd, 0, 0, 0);
        if (borrowed < 0 && Marshal.GetLastPInvokeError() == Errno.EBADF) return null;
        var socket = new BorrowedSocket(new OwnedFd(Errno.Check(borrowed, "pidfd_getfd")));
        if (socket.Get(SOL_SOCKET, SO_PROTOCOL) == Libc.IPPROTO_TCP && socket.Get(SOL_SOCKET, SO_DOMAIN) is Libc.AF_INET or Libc.AF_INET6) return socket;
        socket.Dispose();
        return null;
    }

    /// <summary>A handle on a process.</summary>
    /// <exception cref="SyscallException">It has ended.</exception>
    public static OwnedFd OpenProcess(int pid) => new(Errno.Check(Libc.syscall(Numbers.PidfdOpen, pid, 0, 0, 0, 0), "pidfd_open"));

    public SocketOptions Read() => new(
        Get(SOL_SOCKET, SO_KEEPALIVE), Get(SOL_TCP, TCP_KEEPIDLE), Get(SOL_TCP, TCP_KEEPINTVL),
        Get(SOL_TCP, TCP_KEEPCNT), Get(SOL_TCP, TCP_USER_TIMEOUT));

    /// <exception cref="SyscallException">The kernel refused a value.</exception>
    public void Set(SocketSettings settings)
    {
        foreach (SocketSetting setting in settings.Calls)
        {
            int value = setting.Value;
            Errno.Check(Libc.setsockopt(_fd.Fd, setting.Level, setting.Name, &value, sizeof(int)), setting.ToString());
        }
    }

    public void Dispose() => _fd.Dispose();

    private int Get(int level, int name)
    {
        int value;
        int length = sizeof(int);
        return Libc.getsockopt(_fd.Fd, level, name, &value, &length) == 0 ? value : -1;
    }

    private static Syscalls Numbers => Syscalls.Here ?? throw new SyscallException("pidfd_open", Errno.ENOSYS, "x86-64 and arm64 only");
}
