using System.Globalization;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Launch;

/// <summary>Answers a program's calls: a TCP socket is made or borrowed, and set; in any doubt the kernel does the call alone.</summary>
internal sealed unsafe class SocketMaker(SeccompListener listener, SocketSettings settings)
{
    private readonly ulong? _ourNetwork = NetworkNamespace.InodeOf(Environment.ProcessId);

    /// <summary>Whether the call has its answer.</summary>
    public bool Make(in Notification call)
    {
        int type = (int)call.Arguments[1];
        // A socket belongs to the network namespace of whoever makes it; where the program's cannot be told, it makes its own.
        if (_ourNetwork is null || NetworkNamespace.InodeOf(call.Thread) != _ourNetwork) return false;
        int made = Libc.socket((int)call.Arguments[0], type | Libc.SOCK_CLOEXEC, (int)call.Arguments[2]);
        if (made < 0) return false; // the program shall hear from the kernel why
        using var fd = new OwnedFd(made);
        foreach (SocketSetting setting in settings.Calls)
        {
            int value = setting.Value;
            _ = Libc.setsockopt(made, setting.Level, setting.Name, &value, sizeof(int)); // MPTCP lacks some
        }

        return listener.AnswerWith(call.Id, fd, closeOnExec: (type & Libc.SOCK_CLOEXEC) != 0);
    }

    /// <summary>Sets the socket that the call is about; the kernel then does the call.</summary>
    public void Borrow(in Notification call)
    {
        using OwnedFd process = BorrowedSocket.OpenProcess(ProcessOf(call.Thread));
        using BorrowedSocket? socket = BorrowedSocket.BorrowTcp(process, (int)call.Arguments[0]);
        socket?.Set(settings);
    }

    /// <summary>The process of a thread (proc(5), /proc/PID/status: Tgid).</summary>
    public static int ProcessOf(int thread) => int.Parse(
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{thread}/status")).First(l => l.StartsWith("Tgid:", StringComparison.Ordinal))[5..], CultureInfo.InvariantCulture);
}
