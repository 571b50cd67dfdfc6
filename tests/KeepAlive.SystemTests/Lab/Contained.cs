namespace KeepAlive.SystemTests.Lab;

/// <summary>
/// A program with all its processes and mounts of its own: they end when it does, however it is ended. For servers that find their parts
/// only where a package would have put them, or want a user that the machine does not have.
/// </summary>
internal static class Contained
{
    /// <summary>The command to start.</summary>
    /// <param name="mounts">What is to be mounted first: lines of sh.</param>
    /// <param name="command">The program.</param>
    public static string[] Command(IEnumerable<string> mounts, params IEnumerable<string> command)
    {
        Requires.Programs("unshare");
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", string.Join('\n', [.. mounts, "exec \"$@\""]), "sh", .. command];
    }

    /// <summary>Lays unpacked packages over the machine's own /usr.</summary>
    public static string Usr(params IEnumerable<string> packages) =>
        $"mount -t overlay overlay -o lowerdir={string.Join(':', packages.Select(package => Path.Combine(Repository.Root, ".cache", "servers", package, "usr")))}:/usr /usr";
}
