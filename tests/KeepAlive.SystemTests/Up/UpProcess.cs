using System.Net;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary><c>keepalive up</c> with a file of its own.</summary>
internal sealed class UpProcess : IAsyncDisposable
{
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;
    private readonly string _file;

    private readonly Func<string[], Task<ChildProcess>> _again;

    private UpProcess(ChildProcess process, string file, Func<string[], Task<ChildProcess>> again) => (_process, _file, _again) = (process, file, again);

    public int ExitCode => _process.ExitCode;

    public int Id => _process.Id;

    public string Transcript => _process.Transcript;

    /// <summary>Starts it, and waits until it does what the file says.</summary>
    /// <param name="work">Where the file is written.</param>
    /// <param name="config">The file.</param>
    /// <param name="inside">On a host of the lab; null for this machine.</param>
    /// <param name="prefix">What goes before the command, such as who is to run it, and the program itself; empty for the program built here.</param>
    /// <param name="environment">Beside what there is.</param>
    public static async Task<UpProcess> StartAsync(WorkFolder work, string config, NetworkSpace? inside = null, string[]? prefix = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        string file = Path.Combine(work.Folder("config"), "keepalive.json");
        await File.WriteAllTextAsync(file, config);
        string[] command = [.. prefix ?? [Program], "up", "--json", "--config", file];
        // What daemons leave for each other is each test's own.
        var all = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { ["RUNTIME_DIRECTORY"] = work.Folder("run") };
        Func<string[], Task<ChildProcess>> again = more => inside is null ? ChildProcess.StartAsync([.. command, .. more], environment: all) : inside.StartAsync([.. command, .. more], environment: all);
        var up = new UpProcess(await again([]), file, again);
        await up.WaitForAsync("configured", 1);
        return up;
    }

    /// <summary>Starts it again, as it was started; does not wait for anything.</summary>
    public async Task<UpProcess> AgainAsync(params string[] more) => new(await _again(more), _file, _again);

    /// <summary>Starts another that takes over, and waits until it has.</summary>
    public async Task<UpProcess> UpgradeAsync()
    {
        UpProcess next = await AgainAsync("--upgrade");
        await next.WaitForAsync("upgraded", 1);
        return next;
    }

    /// <summary>Replaces the file as editors do, and waits for the answer.</summary>
    public async Task RewriteAsync(string config, string answer = "configured", string? signal = null)
    {
        int before = Count(answer);
        await File.WriteAllTextAsync(_file + ".new", config);
        File.Move(_file + ".new", _file, overwrite: true);
        if (signal is not null) await SignalAsync(signal);
        await WaitForAsync(answer, before + 1);
    }

    public int Count(string name) => _process.Lines.Count(line => line.StartsWith($"{{\"event\":\"{name}\"", StringComparison.Ordinal));

    /// <summary>Waits until this many events of a name were told.</summary>
    public async Task<JsonElement> WaitForAsync(string name, int count, string containing = "")
    {
        int seen = 0;
        return JsonDocument.Parse(await _process.WaitForLineAsync(
            line => line.StartsWith($"{{\"event\":\"{name}\"", StringComparison.Ordinal) && line.Contains(containing, StringComparison.Ordinal) && ++seen >= count, Patience)).RootElement;
    }

    /// <summary>Where a gateway listens.</summary>
    public async Task<int> PortOfAsync(string gateway) =>
        IPEndPoint.Parse((await WaitForAsync("listening", 1, $"\"gateway\":\"{gateway}\"")).GetProperty("listen").GetString()!).Port;

    public Task SignalAsync(string signal) => _process.SignalAsync(signal);

    /// <summary>Waits until it has ended by itself; how.</summary>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Stops it as an init system does.</summary>
    public async Task<int> StopAsync()
    {
        await _process.SignalAsync("TERM");
        await _process.WaitForExitAsync(Patience);
        return _process.ExitCode;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
