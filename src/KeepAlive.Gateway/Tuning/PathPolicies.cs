using System.Net;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Tuning;

/// <summary>
/// Which kernel keepalive a leg gets by the address of its far end, and, where that is tuned, what flows tell of it. One
/// for any number of gateways.
/// </summary>
/// <remarks>
/// Legs over loopback have no path: they get the default. The table of flows is here and not in them, so that without it a flow
/// holds nothing for it. Its lock is the last: whoever holds it asks no flow.
/// </remarks>
internal sealed class PathPolicies
{
    private readonly PathPoliciesOptions _options;
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, LinkedListNode<(IPAddress Remote, KnownPath Path)>> _paths = [];
    private readonly LinkedList<(IPAddress Remote, KnownPath Path)> _recent = new();
    private readonly Dictionary<FlowRelay, FlowLegs> _flows = [];

    /// <summary>Knows nothing yet.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No path may be remembered.</exception>
    public PathPolicies(PathPoliciesOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PathsMax, 1);
        _options = options;
    }

    /// <summary>Whether flows are watched.</summary>
    internal bool Tunes => _options.Tune is not null;

    /// <summary>Takes a path up before its first flow.</summary>
    /// <returns>What is known of it, the first time; null for nothing.</returns>
    public string? Announce(IPEndPoint remote)
    {
        ArgumentNullException.ThrowIfNull(remote);
        lock (_lock)
        {
            Of(remote, out string? news);
            return news;
        }
    }

    /// <summary>The policy for a socket to or from there; null for the default.</summary>
    internal KeepAlivePolicy? PolicyFor(EndPoint? remote)
    {
        lock (_lock) return remote is IPEndPoint end ? Of(end, out _)?.Policy : null;
    }

    /// <summary>A flow has two legs from now on.</summary>
    /// <returns>What each is to have, null for the default, and what became known by it.</returns>
    internal Joined Join(FlowRelay flow, IPEndPoint? client, IPEndPoint? server, Instant now)
    {
        lock (_lock)
        {
            KnownPath? down = Of(client, out string? downNews), up = Of(server, out string? upNews);
            if (down is not null || up is not null) _flows[flow] = new FlowLegs(down is null ? null : new LegPath(down, now), up is null ? null : new LegPath(up, now));
            return new Joined(down?.Policy, up?.Policy, downNews, upNews);
        }
    }

    /// <summary>A flow is over.</summary>
    internal void Leave(FlowRelay flow)
    {
        lock (_lock) _flows.Remove(flow);
    }

    /// <summary>What a leg lives under; null for the default.</summary>
    internal KeepAlivePolicy? PolicyOf(FlowRelay flow, Leg leg)
    {
        lock (_lock) return LegOf(flow, leg)?.Under;
    }

    /// <summary>What the kernel tells of a leg that lives.</summary>
    internal TuneStep? OnLook(FlowRelay flow, Leg leg, PeerContact? seen, Instant now)
    {
        lock (_lock) return Done(LegOf(flow, leg)?.OnLook(seen, now));
    }

    /// <summary>A leg broke.</summary>
    /// <param name="flow">Its flow.</param>
    /// <param name="leg">Which.</param>
    /// <param name="silence">How long it had been silent.</param>
    internal TuneStep? OnBroken(FlowRelay flow, Leg leg, IdleSilence silence)
    {
        if (_options.Tune is not { } tune) return null;
        lock (_lock)
        {
            if (LegOf(flow, leg) is not { } broken || Done(broken.OnBroken(silence, tune.IdleFloor)) is not { } step) return null;
            if (step.Change is not { } policy) return step;
            (FlowRelay Flow, Leg Leg)[] live = [.. LegsOn(broken.Path).Where(other => other.Flow != flow)];
            foreach ((FlowRelay other, Leg at) in live) LegOf(other, at)!.Change(policy, MonotonicClock.Now);
            if (live.Length == 0) return step;
            // Not here: each has a lock of its own, and who calls holds one of them.
            ThreadPool.QueueUserWorkItem(_ => Array.ForEach(live, other => other.Flow.Keep(other.Leg, policy)));
            return step with { Text = $"{step.Text}, on {live.Length} live flow(s), too" };
        }
    }

    private TuneStep? Done(TuneStep? step)
    {
        if (step?.Holds is { } holds) _options.Tune?.Keep(holds);
        return step;
    }

    private LegPath? LegOf(FlowRelay flow, Leg leg) => !_flows.TryGetValue(flow, out FlowLegs legs) ? null : leg == Leg.Downstream ? legs.Downstream : legs.Upstream;

    private IEnumerable<(FlowRelay Flow, Leg Leg)> LegsOn(KnownPath path)
    {
        foreach ((FlowRelay flow, FlowLegs legs) in _flows)
        {
            if (legs.Downstream?.Path == path) yield return (flow, Leg.Downstream);
            if (legs.Upstream?.Path == path) yield return (flow, Leg.Upstream);
        }
    }

    private KnownPath? Of(IPEndPoint? remote, out string? news)
    {
        news = null;
        if (remote is null) return null;
        IPAddress address = Wire.Plain(remote.Address);
        if (IPAddress.IsLoopback(address)) return null;
        if (_paths.TryGetValue(address, out var known))
        {
            _recent.Remove(known);
            _recent.AddLast(known);
            return known.Value.Path;
        }

        if (_paths.Count >= _options.PathsMax)
        {
            _paths.Remove(_recent.First!.Value.Remote);
            _recent.RemoveFirst();
        }

        PathKnowledge? knowledge = _options.Know(new IPEndPoint(address, remote.Port));
        news = knowledge?.Text;
        KeepAlivePolicy start = knowledge?.Start ?? _options.Default;
        PathTuner? tuner = _options.Tune is { } tune ? new PathTuner(address, new Tuner(start, idleFloor: tune.IdleFloor, enough: knowledge?.Enough)) : null;
        _paths[address] = _recent.AddLast((address, new KnownPath(tuner, start)));
        return _recent.Last!.Value.Path;
    }

    private readonly record struct FlowLegs(LegPath? Downstream, LegPath? Upstream);
}

/// <summary>What a flow is to have, and what became known by it.</summary>
internal readonly record struct Joined(KeepAlivePolicy? Downstream, KeepAlivePolicy? Upstream, string? DownstreamNews, string? UpstreamNews);
