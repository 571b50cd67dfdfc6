using KeepAlive.App.Configuration;
using KeepAlive.Linux.Handover;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Up;

// What becomes of them when another process takes over.
internal sealed partial class RunningGateways
{
    /// <summary>Its name; null where there is none.</summary>
    public string? FirstWithPassiveRange => _running.FirstOrDefault(r => r.Config.Options.PassiveRange is not null).Config?.Name;

    /// <summary>How many flows each has, those that end included.</summary>
    public IReadOnlyList<(string Name, int Flows)> FlowsByName =>
        [.. _running.Select(r => (r.Config.Name, r.Gateway.Flows)).Concat(_ending.Select(e => (e.Config.Name, e.Gateway.Flows))).GroupBy(g => g.Name, (name, all) => (name, all.Sum(g => g.Flows)))];

    /// <summary>Sends every listener; here they are accepted from still.</summary>
    /// <exception cref="SyscallException">The other end is gone.</exception>
    public void HandTo(HandoverChannel channel)
    {
        foreach ((GatewayConfig config, Gateway.Gateway gateway) in _running)
            channel.Send(PassedListener.Word("listener", config.Options.Listen, config.Name), gateway.Listener);
    }

    /// <summary>The other process has not taken over, but may have given the listeners its own options.</summary>
    public void Reclaim()
    {
        foreach ((_, Gateway.Gateway gateway) in _running) gateway.ReclaimListener();
    }

    /// <summary>Accepts nothing more: the flows live on, for as long as they like.</summary>
    public async Task AcceptNoMoreAsync()
    {
        foreach ((GatewayConfig config, Gateway.Gateway gateway) in _running)
        {
            await gateway.AcceptNoMoreAsync().ConfigureAwait(false);
            _ending.Add((config, gateway, EndAsync(config, gateway)));
        }

        _running.Clear();
    }

    /// <summary>Once nothing is accepted any more: done when the last flow has ended by itself.</summary>
    public Task EndedAsync() => Task.WhenAll(_ending.Select(e => e.Ended));
}
