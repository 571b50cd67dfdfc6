using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>One member of an <see cref="EtcdCluster"/>: a process, that may come and go.</summary>
internal sealed class EtcdMember(Uri endpoint, NetworkSpace? inside, string[] arguments) : IAsyncDisposable
{
    // etcd 3.4's words, with either of its loggers: it has joined, there is a leader, and its client port is served.
    private const string Ready = "ready to serve client requests";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<string> _past = [];
    private ChildProcess? _process;
    private bool _isFrozen;

    public Uri Endpoint => endpoint;

    /// <summary>Whether it can answer.</summary>
    public bool IsUp => _process is { IsRunning: true } && !_isFrozen;

    public string Transcript => string.Join('\n', [.. _past, _process?.Transcript ?? ""]);

    public async Task StartAsync(bool waits = true)
    {
        Assert.True(_process is null, $"{endpoint} runs already");
        string[] command = [Requires.Server("etcd-server", "usr/bin/etcd"), .. arguments];
        _process = inside is null ? await ChildProcess.StartAsync(command) : await inside.StartAsync(command);
        if (waits) await _process.WaitForLineAsync(line => line.Contains(Ready, StringComparison.Ordinal), Patience);
    }

    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        (_process, _isFrozen) = (null, false);
        await process.DisposeAsync();
        _past.Add(process.Transcript);
    }

    public async Task SignalAsync(string signal)
    {
        Assert.True(_process is not null, $"{endpoint} does not run");
        _isFrozen = signal == "STOP";
        await _process.SignalAsync(signal);
    }

    public async ValueTask DisposeAsync() => await KillAsync();
}
