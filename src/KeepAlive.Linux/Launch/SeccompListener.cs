using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Launch;

/// <summary>A syscall that waits for the supervisor's answer (struct seccomp_notif, linux/seccomp.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Notification
{
    public ulong Id;

    /// <summary>The calling thread, as seen from our PID namespace.</summary>
    public int Thread;
    public uint Flags;
    public int Number;
    public uint Arch;
    public ulong InstructionPointer;
    public fixed ulong Arguments[6];
}

/// <summary>seccomp(2) and what its user notification is asked and answered by.</summary>
internal sealed unsafe class SeccompListener(OwnedFd fd) : IDisposable
{
    private const int SetModeFilter = 1;
    private const int FlagNewListener = 1 << 3;        // Linux 5.0
    private const int FlagWaitKillable = 1 << 5;       // Linux 5.19
    private const uint UserNotifContinue = 1;          // Linux 5.5
    private const uint AddFdSend = 2;                  // Linux 5.14
    private const uint O_CLOEXEC = 0x80000;

    // _IOWR('!', 0, 80 bytes), _IOWR('!', 1, 24), _IOW('!', 3, 24)
    private const nuint IoctlReceive = 0xC0502100;
    private const nuint IoctlSend = 0xC0182101;
    private const nuint IoctlAddFd = 0x40182103;

    public OwnedFd Fd => fd;

    /// <summary>
    /// Puts the filter on the calling thread for good, and on whatever it execs and forks. Without CAP_SYS_ADMIN the
    /// kernel wants no_new_privs, which takes setuid programs their rights.
    /// </summary>
    /// <exception cref="SyscallException">EBUSY: somebody listens to this process tree already; EINVAL, ENOSYS: the kernel has no user notification.</exception>
    public static SeccompListener Install(ulong[] filter)
    {
        nint listener = Set(filter);
        int errno = Marshal.GetLastPInvokeError();
        if (listener < 0 && errno == Errno.EACCES)
        {
            Errno.Check(Libc.prctl(Libc.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
            listener = Set(filter);
        }

        return new SeccompListener(new OwnedFd(Errno.Check(listener, "seccomp(SECCOMP_SET_MODE_FILTER)")));
    }

    /// <summary>The next call that waits; null when it was withdrawn meanwhile.</summary>
    public Notification? Receive()
    {
        Notification notification = default; // the kernel wants zeroes
        if (Libc.ioctl(fd.Fd, IoctlReceive, &notification) >= 0) return notification;
        int errno = Marshal.GetLastPInvokeError();
        return errno is Errno.EINTR or Errno.ENOENT or Errno.EAGAIN ? null : throw new SyscallException("ioctl(SECCOMP_IOCTL_NOTIF_RECV)", errno);
    }

    /// <summary>Lets the kernel do the call as if nobody had asked. A call that was withdrawn needs no answer.</summary>
    public void Continue(ulong id)
    {
        var answer = new Answer { Id = id, Flags = UserNotifContinue };
        _ = Libc.ioctl(fd.Fd, IoctlSend, &answer);
    }

    /// <summary>Puts a descriptor of ours into the program, as the call's result.</summary>
    /// <returns>Whether it did; the call still waits if not.</returns>
    public bool AnswerWith(ulong id, OwnedFd descriptor, bool closeOnExec)
    {
        var added = new AddedFd { Id = id, Flags = AddFdSend, Source = (uint)descriptor.Fd, NewFlags = closeOnExec ? O_CLOEXEC : 0 };
        return Libc.ioctl(fd.Fd, IoctlAddFd, &added) >= 0;
    }

    public void Dispose() => fd.Dispose();

    // A signal must not interrupt a call that is being answered: socket(2) never says EINTR, and programs do not expect it.
    private static nint Set(ulong[] filter)
    {
        nint listener = Set(filter, FlagNewListener | FlagWaitKillable);
        return listener < 0 && Marshal.GetLastPInvokeError() == Errno.EINVAL ? Set(filter, FlagNewListener) : listener;
    }

    private static nint Set(ulong[] filter, int flags)
    {
        Syscalls numbers = Syscalls.Here ?? throw new SyscallException("seccomp", Errno.ENOSYS, "x86-64 and arm64 only");
        fixed (ulong* code = filter)
        {
            var program = new FilterProgram { Length = (ushort)filter.Length, Code = code };
            return Libc.syscall(numbers.Seccomp, SetModeFilter, flags, (nint)(&program), 0, 0);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public ulong* Code;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Answer
    {
        public ulong Id;
        public long Value;
        public int Error;
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct AddedFd
    {
        public ulong Id;
        public uint Flags;
        public uint Source;
        public uint New;
        public uint NewFlags;
    }
}
