using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Processes;

/// <summary>A process that holds a socket.</summary>
/// <param name="Pid">Its number, as seen from our own PID namespace.</param>
/// <param name="Command">Its name (/proc/PID/comm): at most 15 bytes, chosen by the process itself.</param>
/// <param name="Fd">The first descriptor it holds it by.</param>
internal sealed record SocketOwner(int Pid, string Command, int Fd);

/// <summary>
/// Which processes hold which sockets: one walk over the descriptors of every process, by far the dearest part of a listing.
/// </summary>
internal sealed class SocketOwners
{
    // By inode the one found last, and from each to the one found before it: a list a socket would cost more than the walk.
    private readonly Dictionary<ulong, Holding> _byInode = [];

    private SocketOwners()
    {
    }

    /// <summary>Processes whose descriptors could not be listed: another user's, without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Who holds the socket of this inode; empty when nobody, or nobody we may see.</summary>
    public IReadOnlyList<SocketOwner> Of(uint inode)
    {
        if (!_byInode.TryGetValue(inode, out Holding? last)) return [];
        if (last.Before is null) return [last.Owner];
        var owners = new List<SocketOwner>();
        for (Holding? holding = last; holding is not null; holding = holding.Before) owners.Add(holding.Owner);
        owners.Reverse();
        return owners;
    }

    /// <summary>Every socket that was found, with one process that holds it.</summary>
    public IEnumerable<(uint Inode, SocketOwner Owner)> All => _byInode.Select(found => ((uint)found.Key, found.Value.Owner));

    /// <summary>Walks all processes, or one.</summary>
    public static SocketOwners Read(int? onlyPid = null)
    {
        var owners = new SocketOwners();
        if (onlyPid is { } pid)
        {
            owners.ReadProcess(pid);
            return owners;
        }

        ProcFiles.EachProcess(owners.ReadProcess);
        return owners;
    }

    private void ReadProcess(int pid)
    {
        string? command = null;
        bool listed = ProcFiles.EachEntry(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd"), (directory, name) =>
        {
            if (ProcFiles.Inode(directory, name, "socket:["u8) is not { } inode) return;
            command ??= ProcFiles.CommandOf(pid);
            _ = _byInode.TryGetValue(inode, out Holding? before);
            if (before?.Owner.Pid == pid) return;
            if (Utf8Parser.TryParse(name, out int fd, out _)) _byInode[inode] = new Holding(new SocketOwner(pid, command, fd), before);
        });
        if (!listed && Marshal.GetLastPInvokeError() is Errno.EACCES or Errno.EPERM) Unreadable++;
    }

    private sealed record Holding(SocketOwner Owner, Holding? Before);
}
