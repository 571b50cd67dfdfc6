using System.Globalization;

namespace KeepAlive.SystemTests.Lab;

/// <summary>A cgroup (v2) of a test's, with one inside it; both gone when disposed.</summary>
internal sealed class CgroupFolder : IDisposable
{
    private static int _count;

    public CgroupFolder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux: to make a cgroup");
        Assert.SkipWhen(Root is null, "needs cgroup v2: none is mounted");
        Leftovers.SweepOnce();
        Path = System.IO.Path.Combine(Root!, string.Create(CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        Inner = System.IO.Path.Combine(Path, "inner");
        Directory.CreateDirectory(Inner);
    }

    public string Path { get; }

    public string Inner { get; }

    /// <summary>Where the second version is mounted: beside the first, or alone.</summary>
    public static string? Root { get; } = ((string[])["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]).FirstOrDefault(folder => File.Exists($"{folder}/cgroup.procs") && File.Exists($"{folder}/cgroup.controllers"));

    public void Dispose()
    {
        // Who was in it ends, but a moment after it was told to.
        foreach (string folder in (string[])[Inner, Path])
            Assert.True(SpinWait.SpinUntil(() => TryDelete(folder), TimeSpan.FromSeconds(5)), $"a process is still in {folder}");
    }

    private static bool TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
