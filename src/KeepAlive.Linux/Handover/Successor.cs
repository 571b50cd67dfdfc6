using System.Text;
using KeepAlive.Linux.Launch;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Handover;

/// <summary>Starts this program again, as it is on the disk now: it may have been replaced since.</summary>
internal static class Successor
{
    // Asked for at once: once the file is another one, the kernel tells the path of this one as deleted.
    private static readonly string? Program = Environment.ProcessPath;

    /// <summary>Remembers the program's path; to be called before it can have been replaced.</summary>
    public static void Remember() => _ = Program;

    /// <summary>Starts it with the arguments of this process and one more, in the same folder with the same descriptors 0 to 2, as nobody's child.</summary>
    /// <exception cref="SyscallException">It could not be started.</exception>
    public static void Start(string argument)
    {
        // As it was called: a link may lead to another program by now, which is how many are replaced.
        List<string> words = [.. Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0')];
        if (!words[0].Contains('/') || !File.Exists(words[0])) words[0] = Program ?? throw new SyscallException("readlink(/proc/self/exe)", Errno.ENOENT);
        if (!File.Exists(words[0])) throw new SyscallException("execve", Errno.ENOENT, words[0]);
        if (!words.Contains(argument)) words.Add(argument);
        DetachedProcess.Start(words);
    }
}
