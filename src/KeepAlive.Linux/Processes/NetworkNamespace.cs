using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Processes;

/// <summary>A network namespace with processes in it.</summary>
/// <param name="Inode">Its number (nsfs), as in <c>net:[4026531840]</c>.</param>
/// <param name="Pid">A process in it, through which it is entered.</param>
/// <param name="IsOurs">Whether it is this process's own.</param>
internal sealed record NetworkNamespace(ulong Inode, int Pid, bool IsOurs)
{
    /// <summary>The name of the process through which it is entered, which chose it itself; <c>?</c> when it has ended.</summary>
    public string Command => ProcFiles.CommandOf(Pid);

    /// <summary>Our own.</summary>
    public static NetworkNamespace Own => new(InodeOf(Environment.ProcessId) ?? 0, Environment.ProcessId, true);

    /// <summary>Every network namespace a process of this machine is in, as far as we may see; our own first.</summary>
    public static IReadOnlyList<NetworkNamespace> All()
    {
        NetworkNamespace own = Own;
        var found = new Dictionary<ulong, NetworkNamespace> { [own.Inode] = own };
        ProcFiles.EachProcess(pid =>
        {
            if (InodeOf(pid) is { } inode && !found.ContainsKey(inode)) found.Add(inode, new NetworkNamespace(inode, pid, false));
        });
        List<NetworkNamespace> all = [.. found.Values];
        all.Sort((a, b) => a.IsOurs == b.IsOurs ? a.Inode.CompareTo(b.Inode) : b.IsOurs.CompareTo(a.IsOurs));
        return all;
    }

    /// <summary>Runs something inside it: on a thread of its own, as entering cannot be undone for a shared one.</summary>
    /// <exception cref="SyscallException">It may not be entered (CAP_SYS_ADMIN), or is gone.</exception>
    public T Run<T>(Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (IsOurs) return work();
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using OwnedFd entry = Open();
                Errno.Check(Libc.setns(entry.Fd, Libc.CLONE_NEWNET), "setns(CLONE_NEWNET)");
                result = work();
            }
            catch (SyscallException e)
            {
                failure = e;
            }
        })
        { IsBackground = true };
        thread.Start();
        thread.Join();
        return failure is null ? result : throw failure;
    }

    // The process it was found by may have ended, and its number be somebody else's by now: then by another one that is in it.
    private OwnedFd Open()
    {
        int? through = InodeOf(Pid) == Inode ? Pid : null;
        if (through is null) ProcFiles.EachProcess(pid => through ??= InodeOf(pid) == Inode ? pid : null);
        string entry = $"/proc/{through ?? throw new SyscallException($"setns(net:[{Inode}])", Errno.ESRCH, "the last process in it has ended")}/ns/net";
        var opened = new OwnedFd(Errno.Check(Libc.open(entry, Libc.O_RDONLY | Libc.O_CLOEXEC), $"open({entry})"));
        if (ProcFiles.Inode(Environment.ProcessId, $"fd/{opened.Fd}", "net:["u8) == Inode) return opened;
        opened.Dispose();
        throw new SyscallException($"open({entry})", Errno.ESRCH, "the last process in it has ended");
    }

    /// <summary>Of the namespace a process or thread is in; null when we may not see it, or it has ended.</summary>
    internal static ulong? InodeOf(int pid) => ProcFiles.Inode(pid, "ns/net", "net:["u8);
}
