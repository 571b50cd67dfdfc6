using System.Collections.Concurrent;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.Gateway;

namespace KeepAlive.App.Live;

/// <summary>A gateway that runs, or lets its last flows end.</summary>
internal sealed record LiveGateway(GatewayConfig Config, Gateway.Gateway Gateway, bool IsEnding);

/// <summary>The gateways that run, as others may look at them.</summary>
internal sealed class LiveGateways
{
    // A name that is gone may come again; so many are never in one file.
    private const int ToldMax = 2 * ConfigReader.EntriesMax;

    private readonly ConcurrentDictionary<string, ListeningTold> _told = new();
    private volatile IReadOnlyList<LiveGateway> _all = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<LiveGateway> All => _all;

    /// <summary>How many flows are open.</summary>
    public int Flows => _all.Sum(g => g.Gateway.Flows);

    /// <summary>They are others now.</summary>
    public void Set(IReadOnlyList<LiveGateway> all) => _all = all;

    public void OnListening(ListeningTold told)
    {
        if (_told.Count >= ToldMax) _told.Clear();
        _told[told.Gateway ?? ""] = told;
    }

    /// <summary>What a gateway said of itself; null where it has not yet.</summary>
    public ListeningTold? Told(string? gateway) => _told.GetValueOrDefault(gateway ?? "");

    public void ReadFacts(List<FlowFacts> into)
    {
        foreach (LiveGateway gateway in _all) gateway.Gateway.ReadFacts(into);
    }

    public IEnumerable<FlowKernelProbes> ReadKernelProbes() => _all.SelectMany(g => g.Gateway.ReadKernelProbes());
}
