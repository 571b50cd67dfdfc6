using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>The flows of a gateway that are open, those being connected included.</summary>
internal sealed class FlowSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<FlowRelay> _flows = [];
    private TaskCompletionSource? _empty;
    private long _endedDownstream;
    private long _endedUpstream;

    public int Count
    {
        get
        {
            lock (_lock) return _flows.Count;
        }
    }

    public void Add(FlowRelay flow)
    {
        lock (_lock) _flows.Add(flow);
    }

    public void Remove(FlowRelay flow)
    {
        lock (_lock)
        {
            if (!_flows.Remove(flow)) return;
            _endedDownstream += flow.Flow.Received(Leg.Downstream);
            _endedUpstream += flow.Flow.Received(Leg.Upstream);
            if (_flows.Count == 0) _empty?.TrySetResult();
        }
    }

    /// <summary>Bytes that the peers of a leg have sent, of flows that have ended too.</summary>
    public long Received(Leg leg)
    {
        lock (_lock)
        {
            long all = leg == Leg.Downstream ? _endedDownstream : _endedUpstream;
            foreach (FlowRelay relay in _flows) all += relay.Flow.Received(leg);
            return all;
        }
    }

    public FlowRelay[] Snapshot()
    {
        lock (_lock) return [.. _flows];
    }

    /// <summary>Asks each one. It is not to take a flow's monitor: flows come here while they hold theirs.</summary>
    public void ReadFacts(ICollection<FlowFacts> into)
    {
        lock (_lock)
        {
            foreach (FlowRelay flow in _flows) into.Add(flow.Facts);
        }
    }

    /// <summary>Done when all have ended; nothing is added any more.</summary>
    public Task EmptyAsync()
    {
        lock (_lock)
        {
            if (_flows.Count == 0) return Task.CompletedTask;
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }
}
