namespace KeepAlive.Gateway;

/// <summary>The flows of a gateway that are open, those being connected included.</summary>
internal sealed class FlowSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<FlowRelay> _flows = [];
    private TaskCompletionSource? _empty;

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
            _flows.Remove(flow);
            if (_flows.Count == 0) _empty?.TrySetResult();
        }
    }

    public FlowRelay[] Snapshot()
    {
        lock (_lock) return [.. _flows];
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
