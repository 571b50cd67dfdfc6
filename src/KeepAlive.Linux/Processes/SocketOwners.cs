using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Processes;

/// <summary>A process that holds a socket.</summary>
/// <param name="Pid">Its number, as seen from our own PID namespace.</param>
/// <param name="Command">Its name (/proc/PID/comm): at most 15 bytes, chosen by the process itself.</param>
/// <param name="Fd">The first descriptor it holds it by.</param>
public readonly record struct SocketOwner(int Pid, string Command, int Fd);

/// <summary>
/// Which processes hold which sockets: one walk over the descriptors of every process. It is by far the dearest part
/// of a listing, so it is done with plain calls and bytes.
/// </summary>
public sealed unsafe class SocketOwners
{
    private const int NameOffset = 19; // struct dirent: ino 8, off 8, reclen 2, type 1, name (glibc and musl, 64 bit)

    private readonly Dictionary<uint, List<SocketOwner>> _byInode = [];

    private SocketOwners()
    {
    }

    /// <summary>Processes whose descriptors could not be listed: another user's, without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Who holds the socket of this inode; empty when nobody, or nobody we may see.</summary>
    public IReadOnlyList<SocketOwner> Of(uint inode) => _byInode.TryGetValue(inode, out List<SocketOwner>? owners) ? owners : [];

    /// <summary>Every socket that was found, with one process that holds it.</summary>
    public IEnumerable<(uint Inode, SocketOwner Owner)> All => _byInode.Select(found => (found.Key, found.Value[0]));

    /// <summary>Walks all processes, or one.</summary>
    public static SocketOwners Read(int? onlyPid = null)
    {
        var owners = new SocketOwners();
        if (onlyPid is { } pid)
        {
            owners.ReadProcess(pid);
            return owners;
        }

        EachEntry("/proc\0"u8, (_, name) =>
        {
            if (Utf8Parser.TryParse(name, out int number, out int used) && used == name.Length) owners.ReadProcess(number);
        });
        return owners;
    }

    private void ReadProcess(int pid)
    {
        string? command = null;
        Span<byte> path = stackalloc byte[40];
        int length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd\0"), path);
        bool listed = EachEntry(path[..length], (directory, name) =>
        {
            if (InodeOf(directory, name) is not { } inode) return;
            command ??= CommandOf(pid);
            if (!_byInode.TryGetValue(inode, out List<SocketOwner>? owners)) _byInode[inode] = owners = new List<SocketOwner>(1);
            if (owners.Count > 0 && owners[^1].Pid == pid) return;
            if (Utf8Parser.TryParse(name, out int fd, out _)) owners.Add(new SocketOwner(pid, command, fd));
        });
        if (!listed && Marshal.GetLastPInvokeError() is Errno.EACCES or Errno.EPERM) Unreadable++;
    }

    private static bool EachEntry(ReadOnlySpan<byte> path, EntryAction act)
    {
        nint directory;
        fixed (byte* p = path) directory = Libc.opendir(p);
        if (directory == 0) return false;
        int fd = Libc.dirfd(directory);
        for (byte* entry = Libc.readdir(directory); entry is not null; entry = Libc.readdir(directory))
        {
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
            if (name[0] != (byte)'.') act(fd, name);
        }

        _ = Libc.closedir(directory);
        return true;
    }

    // "socket:[123456]"
    private static uint? InodeOf(int directory, ReadOnlySpan<byte> name)
    {
        byte* target = stackalloc byte[32];
        nint length;
        fixed (byte* n = name) length = Libc.readlinkat(directory, n, target, 32);
        if (length < 10) return null;
        var text = new ReadOnlySpan<byte>(target, (int)length);
        return text.StartsWith("socket:["u8) && Utf8Parser.TryParse(text[8..], out uint inode, out _) ? inode : null;
    }

    private static string CommandOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").TrimEnd('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "?"; // it has just ended
        }
    }

    private delegate void EntryAction(int directory, ReadOnlySpan<byte> name);
}
