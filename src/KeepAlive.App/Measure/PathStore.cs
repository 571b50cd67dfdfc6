using System.Net;
using System.Net.Sockets;
using KeepAlive.App.Machine;

namespace KeepAlive.App.Measure;

/// <summary>
/// What has been measured on this machine, and what its gateways have tuned, by path: one JSON file that people can read and edit, written whole or not at all.
/// Root's is /var/lib/keepalive/paths.json, a user's ~/.local/state/keepalive/paths.json; KEEPALIVE_PATHS names another.
/// </summary>
internal sealed class PathStore(string path)
{
    // The newest stay: a file that grows for ever is read by each list.
    private const int RecordsMax = 1000;
    private const string Variable = "KEEPALIVE_PATHS";
    private const long FileBytesMax = 4 << 20;
    private static readonly TimeSpan LockTime = TimeSpan.FromSeconds(5);

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Where it is for whoever runs this.</summary>
    public static PathStore Default { get; } = new(DefaultPath());

    /// <summary>Whether the environment names it, which goes before every file.</summary>
    public static bool IsNamedOutside => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>All that was measured; nothing where there is no file.</summary>
    /// <exception cref="MachineException">It cannot be read.</exception>
    public IReadOnlyList<PathRecord> Read() => ReadBook().Measured;

    /// <summary>All that is known; nothing where there is no file.</summary>
    /// <exception cref="MachineException">It cannot be read.</exception>
    public PathBook ReadBook()
    {
        if (File.Exists(path) && new FileInfo(path).Length > FileBytesMax) throw new MachineException($"{path}: it is longer than {FileBytesMax} bytes: move it away");
        string text = AtomicFile.Read(path);
        if (text.Length == 0) return PathBook.Empty;
        return PathJson.TryRead(text, out PathBook? book, out string? fault) ? book : throw new MachineException($"{path}: {fault}: repair it or move it away");
    }

    /// <summary>What is known of the path to an address: measured to it, on that port or another, or else to its neighbours (/24, /48). The newest of each.</summary>
    public static PathRecord? Find(IReadOnlyList<PathRecord> records, IPEndPoint remote) =>
        records.Where(r => Distance(r.Remote, remote) is not null).OrderBy(r => Distance(r.Remote, remote)).ThenByDescending(r => r.MeasuredAt).FirstOrDefault();

    /// <summary>What tuning has found of the path to an address, and to it alone; the newest.</summary>
    public static TunedRecord? Find(IReadOnlyList<TunedRecord> records, IPAddress remote) =>
        records.Where(r => r.Remote.Equals(remote)).MaxBy(r => r.TunedAt);

    /// <summary>Keeps it, in the place of an earlier one of the same path.</summary>
    /// <exception cref="MachineException">It cannot be written.</exception>
    public void Save(PathRecord record) => Change(book => book with
    {
        Measured = [.. book.Measured.Where(r => !(r.Remote.Equals(record.Remote) && r.Local == record.Local)).Append(record).OrderByDescending(r => r.MeasuredAt).Take(RecordsMax)],
    });

    /// <summary>Keeps it, in the place of an earlier one of the same path.</summary>
    /// <exception cref="MachineException">It cannot be written.</exception>
    public void Save(TunedRecord record) => Change(book => book with
    {
        Tuned = [.. book.Tuned.Where(r => !r.Remote.Equals(record.Remote)).Append(record).OrderByDescending(r => r.TunedAt).Take(RecordsMax)],
    });

    private void Change(Func<PathBook, PathBook> change)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MachineException.Of($"making the folder of {path}", e);
        }

        using FileStream held = Lock();
        AtomicFile.Write(path, PathJson.ToText(change(ReadBook())));
    }

    private static int? Distance(IPEndPoint known, IPEndPoint asked)
    {
        if (known.Address.Equals(asked.Address)) return known.Port == asked.Port ? 0 : 1;
        if (known.AddressFamily != asked.AddressFamily) return null;
        int bytes = known.AddressFamily == AddressFamily.InterNetwork ? 3 : 6;
        return known.Address.GetAddressBytes().AsSpan(0, bytes).SequenceEqual(asked.Address.GetAddressBytes().AsSpan(0, bytes)) ? 2 : null;
    }

    // Two that save at once would each lose the other's. The lock goes with the process that holds it.
    private FileStream Lock()
    {
        string file = path + ".lock";
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); ; Thread.Sleep(20))
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (e is UnauthorizedAccessException || waited.Elapsed > LockTime) throw MachineException.Of($"locking {file}", e);
            }
        }
    }

    private static string DefaultPath()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) return named;
        if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess) return "/var/lib/keepalive/paths.json";
        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        string folder = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : !string.IsNullOrEmpty(state) ? state
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return System.IO.Path.Combine(folder, "keepalive", "paths.json");
    }
}
