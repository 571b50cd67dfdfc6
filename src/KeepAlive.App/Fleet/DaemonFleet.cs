using System.Text;
using System.Threading.Channels;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>
/// The daemon's membership in a fleet. What the fleet wants is asked for here, and done by the daemon in its own turn; what it
/// was told last is kept beside what is known of paths.
/// </summary>
internal sealed class DaemonFleet : IAsyncDisposable
{
    private readonly EtcdClient _etcd;
    private readonly DaemonEvents _events;
    private readonly string _file;
    private readonly FleetMember _member;
    private readonly FleetPaths _paths;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<FleetAsk> _asks = Channel.CreateUnbounded<FleetAsk>(new UnboundedChannelOptions { SingleReader = true }); // one at a time: who asks waits for the answer
    private Task<bool> _asked;
    private Task _run = Task.CompletedTask;

    /// <param name="options">Which.</param>
    /// <param name="machine">What this machine is called there.</param>
    /// <param name="events">Told.</param>
    /// <param name="digests">What the fleet is told.</param>
    /// <param name="paths">What is known of paths.</param>
    public DaemonFleet(FleetOptions options, string machine, DaemonEvents events, FleetDigests digests, FleetPaths paths)
    {
        (_etcd, _events, _paths) = (new EtcdClient(options.Etcd), events, paths);
        string folder = Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } state ? state.Split(':')[0] : Path.GetDirectoryName(Path.GetFullPath(PathStore.Default.Path))!;
        _file = Path.Combine(folder, $"fleet-{options.Keys.Fleet}-{machine}.json");
        Store = new FleetStore(_etcd, options.Keys, TimeProvider.System);
        _member = new FleetMember(_etcd, Store, machine, new FleetHooks
        {
            Apply = ApplyAsync,
            Digest = digests.Read,
            Tell = (kind, text) => events.Tell(kind, null, text),
            Keep = Keep,
            Kept = Kept,
            Learn = paths.Learn,
        }, TimeProvider.System, Random.Shared);
        _asked = Ask();
        Machine = machine;
    }

    /// <summary>What this machine is called.</summary>
    public string Machine { get; }

    /// <summary>The fleet's things in etcd.</summary>
    public FleetStore Store { get; }

    /// <summary>Whether etcd answers.</summary>
    public bool IsJoined => _member.IsJoined;

    /// <summary>Completes when there is something to do.</summary>
    public Task Asked => _asked;

    /// <summary>Begins.</summary>
    public void Start() => _run = Task.WhenAll(RunAsync(() => _member.RunAsync(_stop.Token)), RunAsync(() => _paths.RunAsync(_member, _stop.Token)));

    /// <summary>What is to be done; null for nothing after all.</summary>
    public FleetAsk? Take()
    {
        FleetAsk? ask = _asks.Reader.TryRead(out FleetAsk? next) ? next : null;
        _asked = Ask();
        return ask;
    }

    /// <summary>Leaves the fleet; another process of this machine may have come already.</summary>
    public async ValueTask DisposeAsync()
    {
        _asks.Writer.TryComplete();
        while (_asks.Reader.TryRead(out FleetAsk? open)) open.Answer.TrySetResult("the daemon is stopping");
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        _stop.Dispose();
        _etcd.Dispose();
    }

    // A fault of ours costs the fleet, not the gateways.
    private async Task RunAsync(Func<Task> part)
    {
        try
        {
            await Task.Run(part).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _events.Tell("failed", null, $"the fleet is not followed any more: {e.Message}: what is in force goes on; a restart follows it again");
        }
    }

    private Task<bool> Ask() => _asks.Reader.WaitToReadAsync().AsTask();

    private async Task<string?> ApplyAsync(FleetPolicy? policy)
    {
        FleetConfig? config = null;
        if (policy is not null)
        {
            config = FleetPolicyText.Read(policy.Text, FormattableString.Invariant($"policy {policy.Number}"), out IReadOnlyList<string> faults);
            if (config is null) return faults.Count == 1 ? faults[0] : $"{faults[0]} (and {faults.Count - 1} more)";
        }

        var ask = new FleetAsk(config);
        string? why = _asks.Writer.TryWrite(ask) ? await ask.Answer.Task.ConfigureAwait(false) : "the daemon is stopping";
        if (why is null) _paths.Use(config?.Measures ?? []);
        return why;
    }

    private void Keep(byte[]? bytes)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            AtomicFile.Write(_file, bytes is null ? "" : Encoding.Latin1.GetString(bytes));
        }
        catch (Exception e) when (e is MachineException or IOException or UnauthorizedAccessException)
        {
            _events.Tell("notice", null, $"{e.Message}: after a restart there is no policy until etcd answers");
        }
    }

    private byte[]? Kept()
    {
        try
        {
            string text = AtomicFile.Read(_file);
            return text.Length == 0 ? null : Encoding.Latin1.GetBytes(text);
        }
        catch (MachineException e)
        {
            _events.Tell("notice", null, $"{e.Message}: there is no policy until etcd answers");
            return null;
        }
    }
}

/// <summary>A policy that is to be put in force.</summary>
/// <param name="Config">What it says; null for none.</param>
internal sealed record FleetAsk(FleetConfig? Config)
{
    /// <summary>Null when it is in force, else why not.</summary>
    public TaskCompletionSource<string?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
