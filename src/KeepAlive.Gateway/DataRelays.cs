using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>Data connections that are open on both sides, of one flow or of one gateway.</summary>
internal sealed class DataRelays
{
    private readonly Lock _lock = new();
    private readonly HashSet<DataRelay> _open = [];
    private bool _closed;

    /// <summary>Relays until both sides have ended; says what was moved and how. After <see cref="FinishAsync"/> it is reset at once.</summary>
    public async Task<string> RunAsync(DataRelay relay)
    {
        bool late;
        lock (_lock)
        {
            late = _closed;
            if (!late) _open.Add(relay);
        }

        if (late) relay.Reset();
        string outcome = await relay.RunAsync().ConfigureAwait(false);
        lock (_lock) _open.Remove(relay);
        return outcome;
    }

    /// <summary>Nothing more is taken in; done when what is open has ended.</summary>
    public Task FinishAsync()
    {
        lock (_lock)
        {
            _closed = true;
            return Task.WhenAll(_open.Select(relay => relay.Ended));
        }
    }

    /// <summary>Ends those whose peer has acknowledged nothing for the bound, or has died after its FIN.</summary>
    public void Look(TimeSpan? bound, Instant now)
    {
        foreach (DataRelay relay in Snapshot()) relay.Look(bound, now);
    }

    /// <summary>Gives them the policy in force.</summary>
    public void Renew()
    {
        foreach (DataRelay relay in Snapshot()) relay.Renew();
    }

    public void Reset()
    {
        foreach (DataRelay relay in Snapshot()) relay.Reset();
    }

    public bool Any(Func<DataRelay, bool> matches)
    {
        lock (_lock) return _open.Count > 0 && _open.Any(matches);
    }

    private DataRelay[] Snapshot()
    {
        lock (_lock) return _open.Count > 0 ? [.. _open] : []; // most of the time there is none
    }
}
