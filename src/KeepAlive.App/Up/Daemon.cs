using KeepAlive.App.Configuration;
using KeepAlive.App.Gateways;
using KeepAlive.App.Machine;
using KeepAlive.Core;

namespace KeepAlive.App.Up;

/// <summary>What runs behind <c>keepalive up</c>: it does what the configuration says, and reads it again when that changes.</summary>
internal sealed class Daemon(ConfigFile file, EventPrinter printer, StopSignals signals)
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(2);

    private readonly RunningGateways _gateways = new(printer, signals.Second);
    private readonly HostWatch _hosts = new(printer);
    private byte[]? _last;

    /// <summary>Until it is stopped.</summary>
    public async Task<int> RunAsync()
    {
        using var systemd = new SystemdSocket();
        using var watch = new ConfigWatch(file);
        if (await TryUseAsync().ConfigureAwait(false) is { } faults)
        {
            foreach (string fault in faults) CommandLine.Complain($"keepalive up: {fault}");
            await _gateways.StopAsync().ConfigureAwait(false);
            return CommandLine.Failed;
        }

        if (_last is null) printer.Tell("observing", null, $"there is no {file.Path}: nothing on this machine is changed; 'keepalive config example' prints one, 'keepalive list' shows the connections");
        systemd.Ready(Status);
        TimeSpan period = systemd.WatchdogPeriod is { } watchdog && watchdog < LookPeriod ? watchdog : LookPeriod;
        while (!signals.First.IsCompleted)
        {
            if (systemd.WatchdogPeriod is not null) systemd.Alive();
            await Task.Run(_hosts.Look).ConfigureAwait(false);
            if (await Task.WhenAny(signals.First, watch.Asked, Task.Delay(period)).ConfigureAwait(false) == watch.Asked) await ReloadAsync(await watch.TakeAsync().ConfigureAwait(false), systemd).ConfigureAwait(false);
        }

        systemd.Stopping();
        await StopAsync().ConfigureAwait(false);
        return CommandLine.Done;
    }

    private string Status => $"{_gateways.Count} gateway(s), {_gateways.Flows} flow(s)";

    private async Task ReloadAsync(ReloadReason reason, SystemdSocket systemd)
    {
        if (reason == ReloadReason.File && !IsChanged()) return;
        systemd.Reloading();
        if (await TryUseAsync().ConfigureAwait(false) is { } faults)
        {
            foreach (string fault in faults) printer.Tell("refused", null, fault);
            printer.Tell("refused", null, $"{file.Path}: nothing was changed, what was in force goes on");
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
        Config config = Config.Nothing;
        try
        {
            byte[]? bytes = file.Read();
            if (bytes is null && _last is not null)
            {
                _last = []; // told once
                return [$"{file.Path} is gone: an empty object, {{}}, is a file that says nothing"];
            }

            _last = bytes;
            if (bytes is not null && ConfigReader.Read(bytes, warning => printer.Tell("notice", null, warning), out IReadOnlyList<ConfigFault> faults) is var read)
            {
                if (read is null) return [.. faults.Select(fault => fault.In(file.Path))];
                config = read;
            }
        }
        catch (MachineException e)
        {
            return [e.Message];
        }

        if (await _gateways.ChangeAsync(config.Gateways, config.Paths).ConfigureAwait(false) is { } why) return [why];
        _hosts.Use(config.Hosts);
        if (_last is not null) printer.Tell("configured", null, $"{file.Path}: {_gateways.Changed}; {config.Hosts.Count} host policy(s)");
        return null;
    }

    private async Task StopAsync()
    {
        int open = _gateways.Flows;
        if (open > 0) CommandLine.Complain($"keepalive up: stopping; {open} flow(s) have {Duration.Format(_gateways.LongestDrain)} to end, a second signal ends them at once");
        int reset = await _gateways.StopAsync().ConfigureAwait(false);
        if (reset > 0) CommandLine.Complain($"keepalive up: {reset} flow(s) were reset");
    }
}
