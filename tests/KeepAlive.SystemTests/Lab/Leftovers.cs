using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.SystemTests.Lab;

/// <summary>What a killed run left behind: namespaces with the processes in them, folders and cgroups, of owners that are gone.</summary>
internal static class Leftovers
{
    /// <summary>Everything of ours that has a name outside this process: <c>ka-PID-N…</c>.</summary>
    public const string Prefix = "ka-";

    public const UnixFileMode OpenFolder =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute |
        UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly Lazy<bool> Swept = new(Sweep);

    public static void SweepOnce() => _ = Swept.Value;

    private static bool Sweep()
    {
        foreach (string path in Named("/run/netns"))
        {
            string name = Path.GetFileName(path);
            foreach (string pid in Output("ip", "netns", "pids", name).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Output("kill", "-KILL", pid);
            Output("ip", "netns", "delete", name);
        }
        foreach (string path in Named(Path.GetTempPath())) Directory.Delete(path, recursive: true);
        // A cgroup's files are not to be deleted: its folders are removed from the innermost on.
        if (CgroupFolder.Root is { } cgroups) foreach (string path in Named(cgroups)) Output("find", path, "-depth", "-type", "d", "-delete");
        return true;
    }

    private static IEnumerable<string> Named(string folder) =>
        Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder, Prefix + "*-*").Where(IsOrphan) : [];

    /// <summary>A pid may have been given to another program since; the owner is one of ours.</summary>
    private static bool IsOrphan(string path)
    {
        string[] parts = Path.GetFileName(path).Split('-');
        if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int owner)) return false;
        string commandLine = $"/proc/{owner}/cmdline";
        try
        {
            return !File.Exists(commandLine) || !File.ReadAllText(commandLine).Contains("KeepAlive.", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string Output(params string[] command)
    {
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
