using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Fleet;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.App.Machine;
using KeepAlive.App.Metrics;
using KeepAlive.App.Web;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Up;

/// <summary>What runs behind <c>keepalive up</c>: it does what the configuration says, and reads it again when that changes.</summary>
internal sealed class Daemon(ConfigFile file, DaemonOutlets outlets, StopSignals signals, Succession succession, TimeSpan? linger)
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(2);

    private readonly RunningGateways _gateways = new(outlets.Events, succession.Passed, signals.Second);
    private readonly HostWatch _hosts = new(outlets.Events);
    private readonly SavedBindings _saved = new(outlets.Live.Flows, outlets.Metrics.Saved);
    private byte[]? _last;
    private byte[]? _good;
    private FleetConfig? _fleetPolicy;

    /// <summary>Until it is stopped.</summary>
    public async Task<int> RunAsync()
    {
        using var systemd = new SystemdSocket();
        using var watch = new ConfigWatch(file);
        outlets.Metrics.Watch(_gateways.Tally, outlets.Live.Flows);
        succession.GiveUp = () => outlets.Page.DisposeAsync().AsTask();
        IReadOnlyList<string>? faults = await succession.InheritAsync().ConfigureAwait(false) is { } why ? [why] : await TryUseAsync().ConfigureAwait(false);
        if (faults is not null)
        {
            foreach (string fault in faults) CommandLine.Complain($"keepalive up: {fault}");
            await _gateways.StopAsync().ConfigureAwait(false);
            await outlets.Page.DisposeAsync().ConfigureAwait(false);
            return CommandLine.Failed;
        }

        if (_last is null)
        {
            outlets.Events.Tell("observing", null, $"there is no {file.Path}: nothing on this machine is changed; 'keepalive config example' prints one");
            FirstLook.Tell(outlets.Events);
        }

        await succession.EstablishAsync().ConfigureAwait(false);
        if (await outlets.Page.UseAsync(outlets.Live.Config.InForce.Dashboard).ConfigureAwait(false) is { } noPage) outlets.Events.Tell("notice", null, noPage); // of a successor: the one before has let go
        outlets.Page.Announce();
        outlets.Live.NotReady = null;
        systemd.Ready(Status);
        outlets.Fleet?.Start();
        TimeSpan period = systemd.WatchdogPeriod is { } watchdog && watchdog < LookPeriod ? watchdog : LookPeriod;
        while (!signals.First.IsCompleted)
        {
            if (systemd.WatchdogPeriod is not null) systemd.Alive();
            await Task.Run(_hosts.Look).ConfigureAwait(false);
            _saved.Look(MonotonicClock.Now);
            outlets.Live.Gateways.Set(_gateways.Live);
            succession.Look(_gateways);
            await Task.WhenAny(signals.First, watch.Asked, succession.Asked, outlets.Fleet?.Asked ?? signals.First, Task.Delay(period)).ConfigureAwait(false);
            if (watch.Asked.IsCompleted) await ReloadAsync(await watch.TakeAsync().ConfigureAwait(false), systemd).ConfigureAwait(false);
            if (outlets.Fleet is { Asked.IsCompleted: true } fleet && fleet.Take() is { } ask) ask.Answer.TrySetResult(await FollowAsync(ask.Config).ConfigureAwait(false));
            if (succession.Asked.IsCompleted && await succession.HandOverAsync(_gateways, systemd, signals.First).ConfigureAwait(false)) return await LiveOnAsync().ConfigureAwait(false);
        }

        systemd.Stopping();
        outlets.Live.NotReady = "stopping";
        if (outlets.Fleet is not null) await outlets.Fleet.DisposeAsync().ConfigureAwait(false);
        await StopAsync().ConfigureAwait(false);
        return CommandLine.Done;
    }

    // Another process accepts: the flows that are here end by themselves, unless we are told to stop or it takes too long.
    private async Task<int> LiveOnAsync()
    {
        if (outlets.Fleet is not null) await outlets.Fleet.DisposeAsync().ConfigureAwait(false);
        Task over = Task.WhenAny(_gateways.EndedAsync(), signals.First, linger is { } limit ? Task.Delay(limit) : signals.First);
        while (await Task.WhenAny(over, Task.Delay(LookPeriod)).ConfigureAwait(false) != over) succession.Look(_gateways);
        await StopAsync().ConfigureAwait(false);
        return CommandLine.Done;
    }

    // With the file as it was last right: what is wrong with it now is not the fleet's fault.
    private async Task<string?> FollowAsync(FleetConfig? policy)
    {
        IReadOnlyList<string>? faults = await UseAsync(_good, policy).ConfigureAwait(false);
        return faults?[0];
    }

    private string Status => $"{_gateways.Count} gateway(s), {_gateways.Flows} flow(s)";

    private async Task ReloadAsync(ReloadReason reason, SystemdSocket systemd)
    {
        if (reason == ReloadReason.File && !IsChanged()) return;
        systemd.Reloading();
        if (await TryUseAsync().ConfigureAwait(false) is { } faults)
        {
            foreach (string fault in faults) outlets.Events.Tell("refused", null, fault);
            outlets.Events.Tell("refused", null, $"{file.Path}: nothing was changed, what was in force goes on");
        }

        systemd.Ready(Status);
    }

    private bool IsChanged()
    {
        try
        {
            return file.Read() is { } bytes ? !bytes.AsSpan().SequenceEqual(_last) : _last is { Length: > 0 };
        }
        catch (MachineException)
        {
            return true; // what it is will be told
        }
    }

    // All of it, or, and why, nothing.
    private async Task<IReadOnlyList<string>?> TryUseAsync()
    {
        try
        {
            byte[]? bytes = file.Read();
            if (bytes is null && _last is not null)
            {
                _last = []; // told once
                return [$"{file.Path} is gone: an empty object, {{}}, is a file that says nothing"];
            }

            _last = bytes;
            return await UseAsync(bytes, _fleetPolicy).ConfigureAwait(false);
        }
        catch (MachineException e)
        {
            return [e.Message];
        }
    }

    private async Task<IReadOnlyList<string>?> UseAsync(byte[]? bytes, FleetConfig? fleet)
    {
        Config config = Config.Nothing with { Hosts = fleet?.Hosts ?? [] };
        if (bytes is not null && ConfigReader.Read(bytes, warning => outlets.Events.Tell("notice", null, warning), out IReadOnlyList<ConfigFault> faults, fleet) is var read)
        {
            if (read is null) return [.. faults.Select(fault => fault.In(file.Path))];
            config = read;
        }

        if (!succession.IsWaiting && await outlets.Page.UseAsync(config.Dashboard).ConfigureAwait(false) is { } noPage) return [noPage];
        if (await _gateways.ChangeAsync(config.Gateways, config.Paths).ConfigureAwait(false) is { } why)
        {
            await outlets.Page.GoBackAsync().ConfigureAwait(false);
            return [why];
        }

        outlets.Live.Gateways.Set(_gateways.Live);
        outlets.Page.Announce();
        outlets.Live.Config = new LiveConfig(file.Path, _last is not null, config);
        _hosts.Use(config.Hosts);
        _saved.Use(config.Paths);
        await outlets.Sinks.UseAsync(config.Events, (name, why) => outlets.Events.Tell("failed", name, why)).ConfigureAwait(false);
        (_good, _fleetPolicy) = (bytes, fleet);
        if (bytes is not null || fleet is not null) outlets.Events.Tell("configured", null, $"{file.Path}: {_gateways.Changed}; {config.Hosts.Count} host policy(s)");
        return null;
    }

    private async Task StopAsync()
    {
        int open = _gateways.Flows;
        if (open > 0) CommandLine.Complain($"keepalive up: stopping; {open} flow(s) have {Duration.Format(_gateways.LongestDrain)} to end, a second signal ends them at once");
        int reset = await _gateways.StopAsync().ConfigureAwait(false);
        await outlets.Page.DisposeAsync().ConfigureAwait(false);
        if (reset > 0) CommandLine.Complain($"keepalive up: {reset} flow(s) were reset");
    }
}

/// <summary>Everyone who is told what the daemon does, or shows it.</summary>
/// <param name="Events">Tells the others.</param>
/// <param name="Sinks">Files and web addresses.</param>
/// <param name="Metrics">Figures.</param>
/// <param name="Live">What is just now.</param>
/// <param name="Page">Shows that.</param>
/// <param name="Fleet">Whose policy is followed; null for none.</param>
internal sealed record DaemonOutlets(DaemonEvents Events, EventSinks Sinks, DaemonMetrics Metrics, LiveState Live, RunningPage Page, DaemonFleet? Fleet);
