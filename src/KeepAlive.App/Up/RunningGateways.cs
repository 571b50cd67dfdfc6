using KeepAlive.App.Configuration;
using KeepAlive.App.Gateways;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Up;

/// <summary>The gateways that run, and those that only let their last flows end.</summary>
internal sealed class RunningGateways(EventPrinter printer, CancellationToken atOnce)
{
    private readonly Dictionary<string, TunedPathKeeping> _keeping = [];
    private readonly List<(GatewayConfig Config, Gateway.Gateway Gateway)> _running = [];
    private readonly List<(GatewayConfig Config, Gateway.Gateway Gateway, Task Ended)> _ending = [];
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the last change was.</summary>
    public string Changed { get; private set; } = "";

    public int Count => _running.Count;

    /// <summary>Open, those of gateways that end included.</summary>
    public int Flows => _running.Sum(r => r.Gateway.Flows) + _ending.Sum(e => e.Gateway.Flows);

    /// <summary>Makes them what the configuration says; all of it, or nothing.</summary>
    /// <returns>Why nothing was changed; null when all was.</returns>
    public async Task<string?> ChangeAsync(IReadOnlyList<GatewayConfig> after, PathStore paths)
    {
        _ending.RemoveAll(e => e.Ended.IsCompleted);
        var changes = GatewayChanges.Between([.. _running.Select(r => r.Config)], after);
        if (changes.TakenOver.FirstOrDefault(t => (t.Before.Options.PassiveRange ?? t.After.Options.PassiveRange) is not null) is { After: { } ranged })
            return $"{ranged.Name}: a gateway with a passiveRange cannot be changed while it runs, as its ports are taken: restart, or give it another address to listen on and other ports";
        var all = new Dictionary<GatewayConfig, Gateway.Gateway>(ReferenceEqualityComparer.Instance);
        var options = new Dictionary<GatewayConfig, GatewayOptions>(ReferenceEqualityComparer.Instance);
        TunedPathKeeping keeping = KeepingIn(paths);
        try
        {
            foreach (GatewayConfig config in changes.Started.Concat(changes.TakenOver.Select(t => t.After))) options.Add(config, config.WithPaths(paths, keeping.Keep));
            foreach (GatewayConfig config in changes.Started) all.Add(config, Gateway.Gateway.Start(options[config], printer.For(config.Name)));
        }
        catch (Exception e) when (e is ListenException or MachineException)
        {
            foreach (Gateway.Gateway gateway in all.Values) await gateway.DisposeAsync().ConfigureAwait(false);
            string which = changes.Started.FirstOrDefault(config => !all.ContainsKey(config))?.Name ?? "gateways";
            return $"{which}: {(e is ListenException listen ? GatewayCommand.ListenFault(listen) : e.Message)}";
        }

        foreach ((GatewayConfig before, GatewayConfig next) in changes.TakenOver)
            if (await TakeOverAsync(before, next, options[next]).ConfigureAwait(false) is { } gateway) all.Add(next, gateway);
        foreach ((GatewayConfig before, GatewayConfig next) in changes.Kept) all.Add(next, Of(before));
        foreach (GatewayConfig config in changes.Ended)
        {
            await Of(config).AcceptNoMoreAsync().ConfigureAwait(false); // from here on its address is free
            _ending.Add((config, Of(config), StopAsync(config, Of(config))));
        }

        _running.Clear();
        _running.AddRange(after.Where(all.ContainsKey).Select(config => (config, all[config])));
        foreach (GatewayConfig config in options.Keys.Where(all.ContainsKey)) Announce(config, options[config], all[config]);
        Changed = changes.ToString();
        return null;
    }

    /// <summary>Ends all of them.</summary>
    /// <returns>How many flows had to be reset.</returns>
    public async Task<int> StopAsync()
    {
        _stopping.TrySetResult();
        (GatewayConfig Config, Gateway.Gateway Gateway)[] all = [.. _running];
        int[] reset = await Task.WhenAll(all.Select(r => r.Gateway.StopAsync(r.Config.Drain, atOnce))).ConfigureAwait(false);
        await Task.WhenAll(_ending.Select(e => e.Ended)).ConfigureAwait(false);
        await Task.WhenAll(_keeping.Values.Select(keeping => keeping.FinishAsync())).ConfigureAwait(false);
        return reset.Sum();
    }

    /// <summary>The longest that a gateway's flows have to end.</summary>
    public TimeSpan LongestDrain => _running.Count == 0 ? TimeSpan.Zero : _running.Max(r => r.Config.Drain);

    private Gateway.Gateway Of(GatewayConfig config) => _running.First(r => ReferenceEquals(r.Config, config)).Gateway;

    // Null where the kernel has no room for it, which cannot be known before: then the next change starts it.
    private async Task<Gateway.Gateway?> TakeOverAsync(GatewayConfig before, GatewayConfig next, GatewayOptions options)
    {
        Gateway.Gateway old = Of(before);
        Gateway.Gateway? gateway = null;
        try
        {
            gateway = await Gateway.Gateway.TakeOverAsync(old, options, printer.For(next.Name)).ConfigureAwait(false);
        }
        catch (ListenException e)
        {
            printer.Tell("failed", next.Name, $"it is not served any more until the next change: {GatewayCommand.ListenFault(e)}");
        }

        _ending.Add((before, old, EndAsync(before, old)));
        return gateway;
    }

    // One for each file, of which there are seldom two.
    private TunedPathKeeping KeepingIn(PathStore paths)
    {
        if (!_keeping.TryGetValue(paths.Path, out TunedPathKeeping? keeping)) _keeping[paths.Path] = keeping = new TunedPathKeeping(paths, printer.Print);
        return keeping;
    }

    // Its flows live on as they began, for as long as they like: a change of the configuration is nobody's end.
    private async Task EndAsync(GatewayConfig config, Gateway.Gateway gateway)
    {
        await Task.WhenAny(gateway.EndedAsync(), _stopping.Task).ConfigureAwait(false);
        await StopAsync(config, gateway).ConfigureAwait(false);
    }

    private async Task StopAsync(GatewayConfig config, Gateway.Gateway gateway)
    {
        int reset = await gateway.StopAsync(config.Drain, atOnce).ConfigureAwait(false);
        if (reset > 0) printer.Tell("notice", config.Name, $"{reset} flow(s) were reset, {Duration.Format(config.Drain)} after the gateway was ended");
        await gateway.DisposeAsync().ConfigureAwait(false);
    }

    private void Announce(GatewayConfig config, GatewayOptions options, Gateway.Gateway gateway)
    {
        printer.PrintListening(gateway.Listening.ToString(), options.To.ToString(), options.Protocol.Name, TuneArguments.ChoiceOf(config.Parsed), options.Probe, config.Name);
        if (options.Paths is { } paths) GatewayCommand.Announce(paths, [options], printer.For(config.Name));
        if (config.IsChecked) _ = CheckAsync(config);
    }

    // Told, and no reason to end: machines may boot together.
    private async Task CheckAsync(GatewayConfig config)
    {
        if (await GatewayCommand.FirstUnreachableAsync([config.Options]).ConfigureAwait(false) is { } unreachable) printer.Tell("notice", config.Name, unreachable);
    }
}
