using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Processes;

/// <summary>The kernel's /proc by plain calls and bytes: a machine has tens of thousands of entries to go through.</summary>
internal static unsafe class ProcFiles
{
    private const int AtCurrentDirectory = -100; // AT_FDCWD
    private const int NameOffset = 19; // struct dirent: ino 8, off 8, reclen 2, type 1, name (glibc and musl, 64 bit)
    private const int TargetBytesMax = 64; // "socket:[4294967295]", "net:[4026531840]"

    /// <summary>Something for each entry of a directory, given an open descriptor of it and the entry's name.</summary>
    public delegate void EntryAction(int directory, ReadOnlySpan<byte> name);

    /// <summary>Something for each process.</summary>
    public static void EachProcess(Action<int> act) => EachEntry("/proc", (_, name) =>
    {
        if (Utf8Parser.TryParse(name, out int pid, out int used) && used == name.Length) act(pid);
    });

    /// <summary>False, and the errno (<see cref="Marshal.GetLastPInvokeError"/>), when it may not be listed or is gone.</summary>
    public static bool EachEntry(string path, EntryAction act)
    {
        nint directory = Libc.opendir(path);
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

    /// <summary>The number in what a link points to, such as <c>socket:[123456]</c>; null when it is something else, or gone.</summary>
    /// <param name="directory">Where the link is.</param>
    /// <param name="name">Its name; a byte 0 must follow it.</param>
    /// <param name="kind">What is before the number: <c>socket:[</c>.</param>
    public static ulong? Inode(int directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> kind)
    {
        byte* target = stackalloc byte[TargetBytesMax];
        nint length;
        fixed (byte* n = name) length = Libc.readlinkat(directory, n, target, TargetBytesMax);
        if (length <= kind.Length) return null;
        var text = new ReadOnlySpan<byte>(target, (int)length);
        return text.StartsWith(kind) && Utf8Parser.TryParse(text[kind.Length..], out ulong inode, out _) ? inode : null;
    }

    /// <summary>The same for a link of a process: <c>ns/net</c>.</summary>
    public static ulong? Inode(int pid, string name, ReadOnlySpan<byte> kind) =>
        Inode(AtCurrentDirectory, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{name}\0")), kind);

    /// <summary>A process's name (/proc/PID/comm): at most 15 bytes, chosen by the process itself; <c>?</c> when it has ended.</summary>
    public static string CommandOf(int pid)
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
}
