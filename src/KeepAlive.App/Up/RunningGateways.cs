using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.App.Metrics;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Up;

/// <summary>The gateways that run, and those that only let their last flows end.</summary>
internal sealed partial class RunningGateways(DaemonEvents events, PassedListeners passed, CancellationToken atOnce)
{
    private readonly Dictionary<string, TunedPathKeeping> _keeping = [];
    private readonly List<(GatewayConfig Config, Gateway.Gateway Gateway)> _running = [];
    private readonly List<(GatewayConfig Config, Gateway.Gateway Gateway, Task Ended)> _ending = [];
    private readonly Lock _tallying = new();
    private readonly List<(string Name, Gateway.Gateway Gateway)> _tallied = []; // those that end, too
    private readonly Dictionary<string, GatewayTally> _gone = [];
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the last change was.</summary>
    public string Changed { get; private set; } = "";

    public int Count => _running.Count;

    /// <summary>Those that run, and those that end.</summary>
    public IReadOnlyList<LiveGateway> Live => [.. _running.Select(r => new LiveGateway(r.Config, r.Gateway, false)), .. _ending.Where(e => !e.Ended.IsCompleted).Select(e => new LiveGateway(e.Config, e.Gateway, true))];

    /// <summary>Open, those of gateways that end included.</summary>
    public int Flows => _running.Sum(r => r.Gateway.Flows) + _ending.Sum(e => e.Gateway.Flows);

    /// <summary>What each has done, with what gateways of its name did before it; from any thread.</summary>
    public IEnumerable<GatewayTally> Tally()
    {
        lock (_tallying)
        {
            IEnumerable<GatewayTally> live = _tallied.Select(t => new GatewayTally(t.Name, t.Gateway.Received(Leg.Downstream), t.Gateway.Received(Leg.Upstream)));
            return [.. live.Concat(_gone.Values).GroupBy(t => t.Name).Select(same => same.Aggregate((a, b) => a.And(b)))];
        }
    }

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
        // Those last that another process may accept for still: none of them can fail.
        GatewayConfig[] starting = [.. changes.Started.OrderBy(passed.Has)];
        try
        {
            foreach (GatewayConfig config in changes.Started.Concat(changes.TakenOver.Select(t => t.After))) options.Add(config, config.WithPaths(paths, keeping.Keep));
            foreach (GatewayConfig config in starting) all.Add(config, Start(config, options[config]));
        }
        catch (Exception e) when (e is ListenException or MachineException or SyscallException)
        {
            foreach (Gateway.Gateway gateway in all.Values) await gateway.DisposeAsync().ConfigureAwait(false);
            string which = starting.FirstOrDefault(config => !all.ContainsKey(config))?.Name ?? "gateways";
            return $"{which}: {(e is ListenException listen ? GatewayCommand.ListenFault(listen) : e.Message)}";
        }

        foreach ((GatewayConfig before, GatewayConfig next) in changes.TakenOver)
            if (await TakeOverAsync(before, next, options[next]).ConfigureAwait(false) is { } gateway) all.Add(next, gateway);
        foreach ((GatewayConfig before, GatewayConfig next) in changes.Kept.Concat(changes.Retuned)) all.Add(next, Of(before));
        // Last, as nothing can fail any more: flows cannot be given back what they had.
        foreach ((GatewayConfig _, GatewayConfig next) in changes.Retuned) all[next].ChangePolicy(next.Options.Policy);
        foreach (GatewayConfig config in changes.Ended)
        {
            await Of(config).AcceptNoMoreAsync().ConfigureAwait(false); // from here on its address is free
            _ending.Add((config, Of(config), StopAsync(config, Of(config))));
        }

        _running.Clear();
        _running.AddRange(after.Where(all.ContainsKey).Select(config => (config, all[config])));
        lock (_tallying) _tallied.AddRange(options.Keys.Where(all.ContainsKey).Select(config => (config.Name, all[config])));
        foreach (GatewayConfig config in options.Keys.Where(all.ContainsKey))
        {
            Announce(config, config.Name, options[config], all[config], isForLiving: false);
            if (config.IsChecked) _ = CheckAsync(config);
        }

        foreach ((GatewayConfig _, GatewayConfig next) in changes.Retuned) Announce(next, TalliedName(all[next]), next.Options, all[next], isForLiving: true);
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
    public TimeSpan LongestDrain => _running.Select(r => r.Config).Concat(_ending.Select(e => e.Config)).Select(config => config.Drain).DefaultIfEmpty().Max();

    private Gateway.Gateway Start(GatewayConfig config, GatewayOptions options) => passed.Take(config) is { } listener
        ? Gateway.Gateway.StartOn(listener, options, events.For(config.Name))
        : Gateway.Gateway.Start(options, events.For(config.Name));

    private Gateway.Gateway Of(GatewayConfig config) => _running.First(r => ReferenceEquals(r.Config, config)).Gateway;

    // Null where the kernel has no room for it, which cannot be known before: then the next change starts it.
    private async Task<Gateway.Gateway?> TakeOverAsync(GatewayConfig before, GatewayConfig next, GatewayOptions options)
    {
        Gateway.Gateway old = Of(before);
        Gateway.Gateway? gateway = null;
        try
        {
            gateway = await Gateway.Gateway.TakeOverAsync(old, options, events.For(next.Name)).ConfigureAwait(false);
        }
        catch (ListenException e)
        {
            events.Tell("failed", next.Name, $"it is not served any more until the next change: {GatewayCommand.ListenFault(e)}");
        }

        _ending.Add((before, old, EndAsync(before, old)));
        return gateway;
    }

    // One for each file, of which there are seldom two.
    private TunedPathKeeping KeepingIn(PathStore paths)
    {
        if (!_keeping.TryGetValue(paths.Path, out TunedPathKeeping? keeping)) _keeping[paths.Path] = keeping = new TunedPathKeeping(paths, events.Tell);
        return keeping;
    }

    // Its flows live on under the policy they have, for as long as they like: a change of the configuration is nobody's end.
    private async Task EndAsync(GatewayConfig config, Gateway.Gateway gateway)
    {
        await Task.WhenAny(gateway.EndedAsync(), _stopping.Task).ConfigureAwait(false);
        await StopAsync(config, gateway).ConfigureAwait(false);
    }

    private async Task StopAsync(GatewayConfig config, Gateway.Gateway gateway)
    {
        int reset = await gateway.StopAsync(config.Drain, atOnce).ConfigureAwait(false);
        if (reset > 0) events.Tell("notice", config.Name, $"{reset} flow(s) were reset, {Duration.Format(config.Drain)} after the gateway was ended");
        await gateway.DisposeAsync().ConfigureAwait(false);
        lock (_tallying)
        {
            int at = _tallied.FindIndex(t => ReferenceEquals(t.Gateway, gateway));
            var last = new GatewayTally(_tallied[at].Name, gateway.Received(Leg.Downstream), gateway.Received(Leg.Upstream));
            _tallied.RemoveAt(at);
            _gone[last.Name] = _gone.GetValueOrDefault(last.Name, new GatewayTally(last.Name, 0, 0)).And(last);
        }
    }

    // By which its flows are told of, though the file may call it otherwise by now.
    private string TalliedName(Gateway.Gateway gateway)
    {
        lock (_tallying) return _tallied.First(t => ReferenceEquals(t.Gateway, gateway)).Name;
    }

    private void Announce(GatewayConfig config, string name, GatewayOptions options, Gateway.Gateway gateway, bool isForLiving)
    {
        events.Tell(new ListeningTold(name, gateway.Listening.ToString(), options.To.ToString(), options.Protocol.Name, TuneArguments.ChoiceOf(config.Parsed), options.Probe) { IsForLiving = isForLiving });
        if (options.Paths is { } paths) GatewayCommand.Announce(paths, [options], events.For(config.Name));
    }

    // Told, and no reason to end: machines may boot together.
    private async Task CheckAsync(GatewayConfig config)
    {
        if (await GatewayCommand.FirstUnreachableAsync([config.Options]).ConfigureAwait(false) is { } unreachable) events.Tell("notice", config.Name, unreachable);
    }
}
