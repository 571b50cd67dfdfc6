using System.Diagnostics.Metrics;
using KeepAlive.App.Events;
using KeepAlive.App.Live;
using KeepAlive.Core;
using KeepAlive.Linux.Diag;

namespace KeepAlive.App.Metrics;

/// <summary>
/// The daemon's instruments, told by its events. Names by the conventions of OpenTelemetry: dots, units by UCUM, attributes
/// that are few and bounded by the configuration; a flow's own facts are on the page and in the events.
/// </summary>
internal sealed class DaemonMeter : IDisposable
{
    /// <summary>What to ask a reader of metrics for.</summary>
    public const string Name = "KeepAlive";

    // A round trip on a LAN up to a server that answers late; a life up to a week (s).
    private static readonly double[] RoundTripBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] LifeBounds = [0.1, 1, 10, 60, 300, 900, 3600, 7200, 14400, 43200, 86400, 604800];

    private static readonly LiveFlowState[] Open = [LiveFlowState.Opening, LiveFlowState.Alive, LiveFlowState.Probing];

    private readonly Lock _lock = new();
    private readonly Meter _meter = new(Name);
    private readonly Dictionary<string, string> _protocols = [];
    private readonly Dictionary<(long Flow, Leg Leg), int> _awaited = []; // an entry only while a probe is out
    private readonly Counter<long> _opened, _refused, _deaths, _sent, _answered, _withheld, _lost, _saved, _changes;
    private readonly Histogram<double> _roundTrip, _life;

    public DaemonMeter()
    {
        _opened = _meter.CreateCounter<long>("keepalive.flow.opened", "{flow}", "Flows whose server was reached");
        _refused = _meter.CreateCounter<long>("keepalive.flow.refused", "{flow}", "Clients that were turned away");
        _deaths = _meter.CreateCounter<long>("keepalive.flow.deaths", "{flow}", "Flows that died, by the leg that did and why");
        _life = _meter.CreateHistogram("keepalive.flow.duration", "s", "How long flows were open", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = LifeBounds });
        _sent = _meter.CreateCounter<long>("keepalive.probe.sent", "{probe}", "Probes sent in sessions, by the leg they went out on");
        _answered = _meter.CreateCounter<long>("keepalive.probe.answered", "{probe}", "Probes whose answer came, and was swallowed");
        _lost = _meter.CreateCounter<long>("keepalive.probe.lost", "{probe}", "Probes whose answer had not come when their flow died");
        _withheld = _meter.CreateCounter<long>("keepalive.probe.withheld", "{probe}", "Times that a probe was due and had to be kept back");
        _roundTrip = _meter.CreateHistogram("keepalive.probe.duration", "s", "Round trips of probes", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = RoundTripBounds });
        _saved = _meter.CreateCounter<long>("keepalive.binding.saved", "{binding}", "Silences of a flow that outlasted the measured timeout of its path, and the flow lives");
        _changes = _meter.CreateCounter<long>("keepalive.host.changes", "{connection}", "Connections that host policies looked at, by what came of it");
    }

    /// <summary>What is read of the gateways when somebody wants it.</summary>
    public void Watch(Func<IEnumerable<GatewayTally>> gateways, Func<IEnumerable<(string Gateway, LiveFlowState State, int Count)>> flows)
    {
        _meter.CreateObservableUpDownCounter("keepalive.flow.active", () => Active(gateways(), flows()), "{flow}", "Flows open now, by state");
        _meter.CreateObservableCounter("keepalive.relay.io", () => gateways().SelectMany(g => (Measurement<long>[])
            [new(g.FromDownstream, [.. Of(g.Name), new("keepalive.leg", Leg.Downstream.Name())]), new(g.FromUpstream, [.. Of(g.Name), new("keepalive.leg", Leg.Upstream.Name())])]),
            "By", "Bytes that the peers of a leg have sent, without data connections");
    }

    /// <summary>What the kernel counts, for all programs in our network namespace.</summary>
    public void WatchKernel()
    {
        _meter.CreateObservableCounter("keepalive.kernel.probe.sent", () => Counted(k => k.ProbesSent), "{probe}", "Kernel keepalive probes sent by all programs of the network namespace");
        _meter.CreateObservableCounter("keepalive.kernel.timeouts", () => Counted(k => k.Timeouts), "{connection}", "Connections that the kernel gave up for want of an answer, of all programs of the network namespace");

        static IEnumerable<Measurement<long>> Counted(Func<KernelCounters, long> value) => KernelCounters.Read() is { } counters ? [new(value(counters))] : [];
    }

    /// <summary>The protocol's name for a gateway's, as far as it was told.</summary>
    public string? ProtocolOf(string gateway)
    {
        lock (_lock) return _protocols.GetValueOrDefault(gateway);
    }

    public void Tell(ToldEvent e)
    {
        switch (e)
        {
            case FlowTold(var flow, { } gateway):
                Tell(flow, new("keepalive.gateway", gateway), new("network.protocol.name", ProtocolOf(gateway)));
                break;
            case ListeningTold { Gateway: { } name } listening:
                lock (_lock) _protocols[name] = listening.Protocol;
                break;
            case FactTold { What: "observed" or "changed" or "not-changed", Name: { } policy } fact:
                _changes.Add(1, new KeyValuePair<string, object?>("keepalive.policy", policy), new("keepalive.result", fact.What));
                break;
        }
    }

    /// <summary>A path would have forgotten a flow.</summary>
    public void Saved(string gateway, Leg leg) =>
        _saved.Add(1, new KeyValuePair<string, object?>("keepalive.gateway", gateway), new("network.protocol.name", ProtocolOf(gateway)), new("keepalive.leg", leg.Name()));

    public void Dispose() => _meter.Dispose();

    private KeyValuePair<string, object?>[] Of(string gateway) => [new("keepalive.gateway", gateway), new("network.protocol.name", ProtocolOf(gateway))];

    // None is told as 0: a line that is gone would be nothing to sum or to compare with.
    private IEnumerable<Measurement<long>> Active(IEnumerable<GatewayTally> gateways, IEnumerable<(string Gateway, LiveFlowState State, int Count)> flows)
    {
        Dictionary<(string, LiveFlowState), int> open = flows.ToDictionary(f => (f.Gateway, f.State), f => f.Count);
        return gateways.SelectMany(g => Open, (g, state) => new Measurement<long>(open.GetValueOrDefault((g.Name, state)), [.. Of(g.Name), new("keepalive.flow.state", state.ToString().ToLowerInvariant())]));
    }

    private void Tell(FlowEvent e, KeyValuePair<string, object?> gateway, KeyValuePair<string, object?> protocol)
    {
        KeyValuePair<string, object?> leg = new("keepalive.leg", e.Leg?.Name());
        switch (e.Kind)
        {
            case FlowEventKind.Connected:
                _opened.Add(1, gateway, protocol);
                break;
            case FlowEventKind.Refused:
                _refused.Add(1, gateway, protocol);
                break;
            case FlowEventKind.ProbeSent:
                _sent.Add(1, gateway, protocol, leg);
                if (e.Leg is { } asked) Await(e.Flow, asked, 1);
                break;
            case FlowEventKind.ProbeAnswered:
                _answered.Add(1, gateway, protocol, leg);
                if (e.Took is { } took) _roundTrip.Record(took.TotalSeconds, gateway, protocol, leg);
                if (e.Leg is { } heard) Await(e.Flow, heard, -1);
                break;
            case FlowEventKind.ProbeWithheld:
                _withheld.Add(1, gateway, protocol, leg);
                break;
            case FlowEventKind.Died:
                _deaths.Add(1, new System.Diagnostics.TagList([gateway, protocol, leg, new("error.type", ReasonName(e.Reason ?? DeathReason.Failed))]));
                foreach (Leg of in (ReadOnlySpan<Leg>)[Leg.Downstream, Leg.Upstream])
                    if (Forget(e.Flow, of) is > 0 and var lost) _lost.Add(lost, gateway, protocol, new("keepalive.leg", of.Name()));
                break;
            case FlowEventKind.Closed:
                if (e.Took is { } life) _life.Record(life.TotalSeconds, gateway, protocol);
                Forget(e.Flow, Leg.Downstream);
                Forget(e.Flow, Leg.Upstream);
                break;
        }
    }

    private void Await(long flow, Leg leg, int change)
    {
        lock (_lock)
        {
            int awaited = _awaited.GetValueOrDefault((flow, leg)) + change;
            if (awaited > 0) _awaited[(flow, leg)] = awaited;
            else _awaited.Remove((flow, leg));
        }
    }

    private int Forget(long flow, Leg leg)
    {
        lock (_lock) return _awaited.Remove((flow, leg), out int awaited) ? awaited : 0;
    }

    private static string ReasonName(DeathReason reason) => reason switch
    {
        DeathReason.TimedOut => "timed_out",
        _ => reason.ToString().ToLowerInvariant(),
    };
}

/// <summary>What a gateway has done.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FromDownstream">Bytes from clients.</param>
/// <param name="FromUpstream">Bytes from the server.</param>
internal readonly record struct GatewayTally(string Name, long FromDownstream, long FromUpstream)
{
    /// <summary>Of this one and another of its name.</summary>
    public GatewayTally And(GatewayTally other) => new(Name, FromDownstream + other.FromDownstream, FromUpstream + other.FromUpstream);
}
