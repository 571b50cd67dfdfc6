namespace KeepAlive.SystemTests.Lab;

/// <summary>Somebody without rights: how root runs a program as nobody, from a place nobody may read.</summary>
internal static class OrdinaryUser
{
    /// <summary>nobody's.</summary>
    public const string Id = "65534";

    /// <summary>What goes before a command.</summary>
    public static IReadOnlyList<string> Prefix { get; } = ["setpriv", $"--reuid={Id}", $"--regid={Id}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--"];

    /// <summary>A copy of the program that everybody may run: the working copy may lie in somebody's home.</summary>
    public static string Program(WorkFolder folder)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: to become somebody else");
        Requires.Programs("setpriv");
        string to = folder.Folder("program");
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, "artifacts/bin/KeepAlive.App/release")))
        {
            string copy = Path.Combine(to, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, Leftovers.OpenFolder);
        }

        return Path.Combine(to, "keepalive");
    }
}
