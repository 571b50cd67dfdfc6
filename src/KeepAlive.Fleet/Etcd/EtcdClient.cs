namespace KeepAlive.Fleet.Etcd;

/// <summary>etcd's v3 API by its JSON gateway.</summary>
internal sealed class EtcdClient(EtcdOptions options) : IDisposable
{
    public EtcdOptions Options => options;

    /// <summary>Reads.</summary>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    public Task<EtcdRange> ReadAsync(EtcdQuery query, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Writes all of it if every condition holds. Whether a commit whose answer was lost took place is not known: who cares, conditions it.</summary>
    /// <exception cref="EtcdException">No endpoint could, or nobody knows.</exception>
    public Task<EtcdCommit> CommitAsync(IReadOnlyList<EtcdCondition> when, IReadOnlyList<EtcdWrite> then, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>A new lease.</summary>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    public Task<long> GrantAsync(TimeSpan life, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Renews a lease once.</summary>
    /// <exception cref="EtcdException">It is gone, or no endpoint could.</exception>
    public Task RenewAsync(long lease, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Ends a lease, and what lives under it.</summary>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    public Task RevokeAsync(long lease, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>What changes below a prefix from a revision on, until it breaks.</summary>
    /// <exception cref="EtcdException">It broke, the revision is compacted, or there is no quorum.</exception>
    public IAsyncEnumerable<EtcdNews> WatchAsync(string prefix, long from, CancellationToken cancel) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
