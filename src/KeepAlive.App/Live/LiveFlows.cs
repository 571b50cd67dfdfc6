using KeepAlive.App.Events;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Live;

/// <summary>
/// The flows of all gateways as they stand: told by events, on the relays' own threads, and asked for their silence only when somebody
/// looks. What is handed out is counted, so that whoever looks again gets what has changed since.
/// </summary>
internal sealed class LiveFlows(LiveGateways gateways)
{
    /// <summary>More are not shown: a page is no place for them.</summary>
    public const int OpenMax = 100_000;

    private const int EndedMax = 10_000;
    private const int TextCharsMax = 300;

    /// <summary>So long the ended stay.</summary>
    public static readonly TimeSpan EndedStay = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<long, LiveFlow> _flows = [];
    private readonly Queue<LiveFlow> _ended = new();
    private readonly Tombstones<long> _gone = new();
    private readonly List<FlowFacts> _facts = [];
    private long _count = 1;

    /// <summary>Something happened, as anybody is told of it.</summary>
    public void OnTold(ToldEvent told)
    {
        if (told is ListeningTold listening) Take(listening);
        if (told is not FlowTold { Event: { Flow: > 0 } e, Gateway: var gateway }) return;
        lock (_lock)
        {
            Expire(e.At);
            if (!_flows.TryGetValue(e.Flow, out LiveFlow? flow))
            {
                // A line that comes after the last is nobody's.
                if (e.Kind is not (FlowEventKind.Opened or FlowEventKind.Refused) || _flows.Count - _ended.Count >= OpenMax) return;
                flow = new LiveFlow(e.Flow, gateway ?? "", e.At) { Told = gateways.Told(gateway) };
                _flows.Add(e.Flow, flow);
            }

            Take(flow, e);
            flow.Changed = _count;
        }
    }

    /// <summary>Asks the gateways how silent each flow is.</summary>
    /// <param name="now">The time.</param>
    public void Refresh(Instant now)
    {
        lock (_lock)
        {
            Expire(now);
            _facts.Clear();
            gateways.ReadFacts(_facts);
            foreach (FlowFacts facts in _facts)
                if (_flows.TryGetValue(facts.Id, out LiveFlow? flow)) Take(flow, facts);
        }
    }

    /// <summary>Asks the kernel for the probes of its own on flows that nothing else keeps alive.</summary>
    /// <param name="now">The time.</param>
    public void RefreshKernelProbes(Instant now)
    {
        FlowKernelProbes[] all = [.. gateways.ReadKernelProbes()]; // not under the lock: it takes the flows' own
        lock (_lock)
        {
            foreach (FlowKernelProbes probes in all)
                if (_flows.TryGetValue(probes.Id, out LiveFlow? flow) && flow.Layer == "tcp") Take(flow, probes, now);
        }
    }

    /// <summary>What has changed; the flows are to be looked at by <see cref="Each"/>.</summary>
    /// <param name="from">What the caller has.</param>
    /// <param name="reading">What it wants.</param>
    public FlowChanges Read(FlowPosition from, FlowReading reading)
    {
        lock (_lock)
        {
            bool isWhole = from.Count == 0 || from.Count < _gone.Since;
            long had = isWhole ? 0 : from.Count, count = _count++;
            LiveFlow[] changed = [.. _flows.Values.Where(f => f.Changed > had)];
            bool withFacts = !isWhole && reading == FlowReading.ChangesAndFacts;
            LiveFlow[] heard = withFacts ? [.. _flows.Values.Where(f => f.FactsChanged > from.Facts && f.Changed <= had)] : [];
            return new FlowChanges(changed, heard, isWhole ? [] : [.. _gone.After(had)], isWhole, new FlowPosition(count, isWhole || withFacts ? count : from.Facts));
        }
    }

    /// <summary>All that fit.</summary>
    public LiveFlow[] Find(Func<LiveFlow, bool> fits)
    {
        lock (_lock) return [.. _flows.Values.Where(fits)];
    }

    /// <summary>Looks at flows. The relays wait meanwhile: not too many at a time.</summary>
    public void Each(ReadOnlySpan<LiveFlow> flows, Action<LiveFlow> look)
    {
        lock (_lock)
        {
            foreach (LiveFlow flow in flows) look(flow);
        }
    }

    /// <summary>How many are open, by gateway and state.</summary>
    public IReadOnlyList<(string Gateway, LiveFlowState State, int Count)> CountOpen()
    {
        lock (_lock) return [.. _flows.Values.Where(f => f.EndedAt is null).GroupBy(f => (f.Gateway, f.State)).Select(same => (same.Key.Gateway, same.Key.State, same.Count()))];
    }

    /// <summary>How many there are in each state.</summary>
    public int[] CountStates()
    {
        int[] counts = new int[Enum.GetValues<LiveFlowState>().Length];
        lock (_lock)
        {
            foreach (LiveFlow flow in _flows.Values) counts[(int)flow.State]++;
        }

        return counts;
    }

    // Those of a gateway that was there before under the same name live on by what that one said.
    private void Take(ListeningTold listening)
    {
        ListeningTold? before = gateways.Told(listening.Gateway);
        gateways.OnListening(listening);
        if (!listening.IsForLiving || before is null) return;
        lock (_lock)
        {
            foreach (LiveFlow flow in _flows.Values.Where(f => ReferenceEquals(f.Told, before) && f.EndedAt is null)) (flow.Told, flow.Changed) = (listening, _count);
        }
    }

    private void Take(LiveFlow flow, FlowEvent e)
    {
        flow.Told ??= gateways.Told(flow.Gateway);
        flow.Text = $"{EventText.KindName(e.Kind)}: {(e.Text.Length > TextCharsMax ? e.Text[..TextCharsMax] + "..." : e.Text)}";
        switch (e.Kind)
        {
            case FlowEventKind.Opened:
                TakeEnds(flow, e.Text);
                break;
            case FlowEventKind.Connected:
                flow.State = LiveFlowState.Alive;
                flow.ServerHeard = e.At;
                if (e.Text.Length > 0) flow.Server = Cut(e.Text.Split(',')[0]);
                break;
            case FlowEventKind.ProbeSent:
                flow.Sent++;
                flow.Add(new Mark(e.At, MarkKind.Sent, e.Leg));
                break;
            case FlowEventKind.ProbeAnswered:
                (flow.Answered, flow.RoundTrip, flow.Unanswered) = (flow.Answered + 1, e.Took, 0);
                if (flow.State == LiveFlowState.Probing) flow.State = LiveFlowState.Alive;
                flow.Add(new Mark(e.At, MarkKind.Answered, e.Leg));
                break;
            case FlowEventKind.ProbeWithheld:
                flow.Add(new Mark(e.At, MarkKind.Withheld, e.Leg));
                break;
            case FlowEventKind.PlainRelay:
                (flow.IsPlain, flow.Unanswered) = (true, 0);
                flow.Add(new Mark(e.At, MarkKind.Notice, e.Leg));
                break;
            case FlowEventKind.Died:
                flow.State = LiveFlowState.Dead;
                flow.Add(new Mark(e.At, MarkKind.Died, e.Leg));
                break;
            case FlowEventKind.Closed or FlowEventKind.Refused:
                End(flow, e);
                break;
            default:
                flow.Add(new Mark(e.At, MarkKind.Notice, e.Leg));
                break;
        }
    }

    private void End(LiveFlow flow, FlowEvent e)
    {
        if (flow.State != LiveFlowState.Dead) flow.State = LiveFlowState.Closed;
        flow.EndedAt = e.At;
        _ended.Enqueue(flow);
    }

    // "192.0.2.1:40000 to ftp.example.com:21, by the proxy 192.0.2.2:40000"
    private static void TakeEnds(LiveFlow flow, string text)
    {
        int to = text.IndexOf(" to ", StringComparison.Ordinal);
        if (to < 0) return;
        string server = text[(to + " to ".Length)..];
        (flow.Client, flow.Server) = (Cut(text[..to]), Cut(server.Split(',')[0]));
    }

    private void Take(LiveFlow flow, FlowFacts facts)
    {
        if (flow.EndedAt is not null) return;
        flow.Relayed = facts.Relayed;
        if (facts.BytesUp != flow.BytesUp || facts.BytesDown != flow.BytesDown)
        {
            (Instant at, Leg leg) = facts.ClientHeard > facts.ServerHeard ? (facts.ClientHeard, Leg.Downstream) : (facts.ServerHeard, Leg.Upstream);
            (flow.BytesUp, flow.BytesDown, flow.FactsChanged) = (facts.BytesUp, facts.BytesDown, _count);
            flow.ClientHeard = Instant.Max(flow.ClientHeard, facts.ClientHeard);
            flow.ServerHeard = Instant.Max(flow.ServerHeard, facts.ServerHeard);
            // Elsewhere the bytes may be the answer to a probe, which is a mark of its own.
            if (flow.Layer == "tcp" && flow.AddData(at, leg)) flow.Changed = _count;
        }

        if (facts.Unanswered == flow.Unanswered && (facts.Unanswered == 0 || flow.State == LiveFlowState.Probing)) return;
        flow.Unanswered = facts.Unanswered;
        SetState(flow);
    }

    private void Take(LiveFlow flow, FlowKernelProbes probes, Instant now)
    {
        int unanswered = Math.Max(probes.Client, probes.Server);
        if (flow.EndedAt is not null || unanswered == flow.KernelUnanswered) return;
        Leg leg = probes.Client >= probes.Server ? Leg.Downstream : Leg.Upstream;
        for (int more = flow.KernelUnanswered; more < unanswered; more++)
        {
            flow.Sent++;
            flow.Add(new Mark(now, MarkKind.Sent, leg));
        }

        if (unanswered == 0)
        {
            flow.Answered++;
            flow.Add(new Mark(now, MarkKind.Answered, null));
        }

        flow.KernelUnanswered = unanswered;
        SetState(flow);
    }

    private void SetState(LiveFlow flow)
    {
        if (flow.State is LiveFlowState.Alive or LiveFlowState.Probing) flow.State = flow.Unanswered + flow.KernelUnanswered > 0 ? LiveFlowState.Probing : LiveFlowState.Alive;
        flow.Changed = _count;
    }

    private void Expire(Instant now)
    {
        while (_ended.TryPeek(out LiveFlow? first) && (_ended.Count > EndedMax || now - first.EndedAt!.Value > EndedStay))
        {
            _ended.Dequeue();
            _flows.Remove(first.Id);
            _gone.Add(_count, first.Id);
        }
    }

    private static string Cut(string text) => text.Length > TextCharsMax ? text[..TextCharsMax] : text;
}

/// <summary>What somebody has read of the flows: counts of changes. The default is nothing.</summary>
internal readonly record struct FlowPosition(long Count, long Facts);

/// <summary>What is new.</summary>
/// <param name="Changed">More of them than their silence and bytes; all there are, where <paramref name="IsWhole"/>.</param>
/// <param name="Heard">Their silence and bytes alone.</param>
/// <param name="Gone">Not known any more.</param>
/// <param name="IsWhole">What the caller had is worth nothing.</param>
/// <param name="Position">What the caller has now.</param>
internal sealed record FlowChanges(LiveFlow[] Changed, LiveFlow[] Heard, long[] Gone, bool IsWhole, FlowPosition Position);

/// <summary>What is to be read.</summary>
internal enum FlowReading
{
    /// <summary>Flows of which more has changed than silence and bytes.</summary>
    Changes,

    /// <summary>Those, too.</summary>
    ChangesAndFacts,
}
