using System.Globalization;

namespace KeepAlive.SystemTests.Lab;

/// <summary>A folder for one test's files; named for the process that owns it, gone when disposed.</summary>
public sealed class WorkFolder : IDisposable
{
    private static int _count;

    public WorkFolder()
    {
        Leftovers.SweepOnce();
        Path = System.IO.Path.Combine(
            System.IO.Path.GetTempPath(),
            string.Create(CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        // Others may pass through: the servers work in here as nobody or daemon.
        Directory.CreateDirectory(Path, Leftovers.OpenFolder);
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Folder(string name, UnixFileMode mode = Leftovers.OpenFolder)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(path, mode);
        System.IO.File.SetUnixFileMode(path, mode);
        return path;
    }

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
