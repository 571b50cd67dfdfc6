namespace KeepAlive.SystemTests.Lab;

/// <summary>What a test needs of the machine. Where it is missing the test is skipped, and the skip says what is missing.</summary>
internal static class Requires
{
    private static readonly string[] Folders =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin"];

    /// <summary>Root, and the programs that build a <see cref="NetworkLab"/>.</summary>
    public static void Lab()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: network namespaces");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: network namespaces");
        Programs("ip", "nft", "nsenter", "setpriv");
    }

    public static void Programs(params ReadOnlySpan<string> names)
    {
        List<string> missing = [];
        foreach (string name in names)
        {
            if (FindProgram(name) is null) missing.Add(name);
        }
        Assert.SkipUnless(missing.Count == 0, $"needs {string.Join(", ", missing)}: not on this machine (eng/test-servers brings it)");
    }

    /// <summary>A server unpacked by eng/test-servers, or one of the machine; skips when there is neither.</summary>
    public static string Server(string package, string program)
    {
        string unpacked = Path.Combine(Repository.Root, ".cache", "servers", package, program);
        string? found = File.Exists(unpacked) ? unpacked : FindProgram(Path.GetFileName(program));
        Assert.SkipWhen(found is null, $"needs {package}: not unpacked here (eng/test-servers brings it)");
        return found!;
    }

    private static string? FindProgram(string name) =>
        Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
