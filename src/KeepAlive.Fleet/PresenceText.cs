namespace KeepAlive.Fleet;

/// <summary>What a machine tells, as it was told last: only what differs is written.</summary>
internal sealed class PresenceText
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = Fresh();
    private bool _isForgotten = true;
    private bool _hasSaid;
    private bool _hasJoined;

    /// <summary>The last one, as it is written.</summary>
    public byte[] Last { get; private set; } = [];

    /// <summary>Completes when it is not to wait for its turn.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock) return _changed.Task;
        }
    }

    /// <summary>Something changed that others wait for.</summary>
    public void Hurry()
    {
        lock (_lock) _changed.TrySetResult();
    }

    /// <summary>What is to be written; null when it stands there already.</summary>
    public byte[]? Next(MachineDigest digest)
    {
        lock (_lock) _changed = Fresh();
        byte[] bytes = FleetJson.Write(digest);
        if (!_isForgotten && bytes.AsSpan().SequenceEqual(Last)) return null;
        (Last, _isForgotten) = (bytes, false);
        return bytes;
    }

    /// <summary>It may not stand there.</summary>
    public void Forget() => _isForgotten = true;

    /// <summary>Whether this is asked for the first time.</summary>
    public bool IsFirstTime() => !_hasSaid && (_hasSaid = true);

    /// <summary>Whether this is asked for the first time.</summary>
    public bool IsFirstJoin() => !_hasJoined && (_hasJoined = true);

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
