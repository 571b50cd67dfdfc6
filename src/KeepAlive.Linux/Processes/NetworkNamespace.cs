using System.Globalization;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Processes;

/// <summary>A network namespace with processes in it.</summary>
/// <param name="Inode">Its number (nsfs), as in <c>net:[4026531840]</c>.</param>
/// <param name="Pid">A process in it, through which it is entered.</param>
/// <param name="IsOurs">Whether it is this process's own.</param>
public sealed record NetworkNamespace(ulong Inode, int Pid, bool IsOurs)
{
    /// <summary>Every network namespace a process of this machine is in, as far as we may see; our own first.</summary>
    public static IReadOnlyList<NetworkNamespace> All()
    {
        ulong own = InodeOf("self") ?? 0;
        var found = new Dictionary<ulong, NetworkNamespace> { [own] = new(own, Environment.ProcessId, true) };
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            string name = Path.GetFileName(directory);
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)) continue;
            if (InodeOf(name) is { } inode) found.TryAdd(inode, new NetworkNamespace(inode, pid, false));
        }

        return [.. found.Values.OrderByDescending(n => n.IsOurs).ThenBy(n => n.Inode)];
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
                using var entry = new OwnedFd(Errno.Check(Libc.open($"/proc/{Pid}/ns/net", Libc.O_RDONLY | Libc.O_CLOEXEC), $"open(/proc/{Pid}/ns/net)"));
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

    private static ulong? InodeOf(string process)
    {
        try
        {
            // "net:[4026531840]"
            string? target = File.ResolveLinkTarget($"/proc/{process}/ns/net", returnFinalTarget: false)?.Name;
            int open = target?.IndexOf('[', StringComparison.Ordinal) ?? -1;
            return open > 0 && ulong.TryParse(target![(open + 1)..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
