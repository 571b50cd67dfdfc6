using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KeepAlive.Fleet.Etcd;

/// <summary>etcd's v3 API by its JSON gateway. Safe for use by many threads.</summary>
/// <remarks>
/// <para>The first endpoint is any of them, so that a fleet spreads; one that fails is followed by the next, for everybody. Nothing pauses here
/// and nothing is logged: that is the caller's.</para>
/// <para>A user is known to etcd by name and password. The name in a client's certificate is not: the gateway itself calls etcd, with the
/// server's certificate, so all who come by it would be that one. With <c>--client-cert-auth</c> that certificate therefore has to be good for
/// clients too (clientAuth among its extended key usages).</para>
/// </remarks>
internal sealed class EtcdClient : IDisposable
{
    private readonly EtcdTransport _transport;
    private readonly EtcdLogin _login;
    private int _current;

    public EtcdClient(EtcdOptions options)
        : this(options, new EtcdTransport(options), Random.Shared.Next(Math.Max(1, options.Endpoints.Count)))
    {
    }

    internal EtcdClient(EtcdOptions options, EtcdTransport transport, int first)
    {
        if (options.Endpoints.Count == 0) throw new ArgumentException("there has to be an endpoint", nameof(options));
        (Options, _transport, _login, _current) = (options, transport, new EtcdLogin(options, transport), first);
    }

    public EtcdOptions Options { get; }

    /// <summary>Reads what the whole cluster agrees on now (linearizable).</summary>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<EtcdRange> ReadAsync(EtcdQuery query, CancellationToken cancel) =>
        AskAsync("/v3/kv/range", EtcdRequests.Range(query), EtcdJson.Default.RangeRequest, answer => EtcdAnswers.Range(answer.Span), isWrite: false, cancel);

    /// <summary>Writes all of it if every condition holds. Whether a commit whose answer was lost took place is not known: who cares, conditions it.</summary>
    /// <exception cref="EtcdException">No endpoint could, or nobody knows.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<EtcdCommit> CommitAsync(IReadOnlyList<EtcdCondition> when, IReadOnlyList<EtcdWrite> then, CancellationToken cancel) =>
        AskAsync("/v3/kv/txn", EtcdRequests.Txn(when, then), EtcdJson.Default.TxnRequest, answer => EtcdAnswers.Commit(answer.Span), isWrite: true, cancel);

    /// <summary>A new lease.</summary>
    /// <param name="life">How long it lives unless it is renewed; etcd counts whole seconds, and takes more where this is too little for its elections.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<long> GrantAsync(TimeSpan life, CancellationToken cancel) =>
        AskAsync("/v3/lease/grant", new LeaseRequest(null, Math.Max(1, (long)Math.Ceiling(life.TotalSeconds))), EtcdJson.Default.LeaseRequest, answer => EtcdAnswers.Granted(answer.Span), isWrite: false, cancel);

    /// <summary>Renews a lease once.</summary>
    /// <exception cref="EtcdException">It is gone, or no endpoint could.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task RenewAsync(long lease, CancellationToken cancel) =>
        AskAsync("/v3/lease/keepalive", new LeaseRequest(lease, null), EtcdJson.Default.LeaseRequest, answer => EtcdAnswers.Renewed(answer.Span, Options.User), isWrite: false, cancel);

    /// <summary>Ends a lease, and what lives under it; one that is gone has ended.</summary>
    /// <exception cref="EtcdException">No endpoint could.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task RevokeAsync(long lease, CancellationToken cancel)
    {
        try
        {
            await AskAsync("/v3/lease/revoke", new LeaseRequest(lease, null), EtcdJson.Default.LeaseRequest, answer => EtcdAnswers.Read(answer.Span, EtcdJson.Default.LeaseAnswer), isWrite: false, cancel).ConfigureAwait(false);
        }
        catch (EtcdException e) when (e.Fault == EtcdFault.LeaseGone)
        {
            // A call before this one, of which no answer came, may have ended it.
        }
    }

    /// <summary>What changes below a prefix from a revision on, until it breaks; at first, that the watch stands.</summary>
    /// <param name="prefix">What keys begin with.</param>
    /// <param name="from">The first revision that counts; 0: from now on.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="EtcdException">It broke, the revision is compacted, or there is no quorum.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async IAsyncEnumerable<EtcdNews> WatchAsync(string prefix, long from, [EnumeratorCancellation] CancellationToken cancel)
    {
        byte[] request = JsonSerializer.SerializeToUtf8Bytes(EtcdRequests.Watch(prefix, from), EtcdJson.Default.WatchRequest);
        (EtcdNews begun, EtcdWatch watch, EtcdStream stream) = await InTurnAsync(async (endpoint, token) =>
        {
            var watch = new EtcdWatch(from, Options.User);
            EtcdStream stream = await _transport.OpenAsync(endpoint, "/v3/watch", request, token, cancel).ConfigureAwait(false);
            try
            {
                return (await NextAsync(stream, watch, cancel).ConfigureAwait(false), watch, stream);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }, isWrite: false, cancel).ConfigureAwait(false);
        using (stream)
        {
            yield return begun;
            while (true) yield return await FollowAsync(stream, watch, cancel).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _transport.Dispose();
        _login.Dispose();
    }

    private Task<T> AskAsync<TRequest, T>(string path, TRequest request, JsonTypeInfo<TRequest> type, Func<ReadOnlyMemory<byte>, T> read, bool isWrite, CancellationToken cancel)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(request, type);
        return InTurnAsync(async (endpoint, token) => read(await _transport.CallAsync(endpoint, path, json, token, isSecret: false, cancel).ConfigureAwait(false)), isWrite, cancel);
    }

    // Every endpoint once, from the current one on, until one can. Of a write that was sent, only one.
    private async Task<T> InTurnAsync<T>(Func<Uri, string?, Task<T>> call, bool isWrite, CancellationToken cancel)
    {
        var failures = new List<(Uri, EtcdCallException)>();
        int first = Volatile.Read(ref _current);
        for (int n = 0; n < Options.Endpoints.Count; n++)
        {
            Uri endpoint = Options.Endpoints[(first + n) % Options.Endpoints.Count];
            try
            {
                return await LoggedInAsync(endpoint, call, cancel).ConfigureAwait(false);
            }
            catch (EtcdCallException e)
            {
                failures.Add((endpoint, e));
                if (e.Outcome == CallOutcome.Refused) throw e.At(endpoint);
                Leave(endpoint);
                if (isWrite && e.Outcome == CallOutcome.Unknown) break;
            }
        }

        throw EtcdCallException.Of(failures, isWrite);
    }

    private async Task<T> LoggedInAsync<T>(Uri endpoint, Func<Uri, string?, Task<T>> call, CancellationToken cancel)
    {
        string? token = await _login.TokenAsync(endpoint, null, cancel).ConfigureAwait(false);
        try
        {
            return await call(endpoint, token).ConfigureAwait(false);
        }
        catch (EtcdCallException e) when (e.Outcome == CallOutcome.TokenInvalid && token is not null)
        {
            return await call(endpoint, await _login.TokenAsync(endpoint, token, cancel).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    private async Task<EtcdNews> FollowAsync(EtcdStream stream, EtcdWatch watch, CancellationToken cancel)
    {
        try
        {
            return await NextAsync(stream, watch, cancel).ConfigureAwait(false);
        }
        catch (EtcdCallException e)
        {
            if (e.Outcome != CallOutcome.Refused) Leave(stream.Endpoint);
            throw e.At(stream.Endpoint);
        }
    }

    private async Task<EtcdNews> NextAsync(EtcdStream stream, EtcdWatch watch, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                ReadOnlyMemory<byte> line = await stream.NextAsync(Options.WatchSilence, cancel).ConfigureAwait(false)
                    ?? throw new EtcdCallException(EtcdFault.Unreachable, CallOutcome.Unknown, "it ended the watch");
                if (watch.Take(line.Span) is { } news) return news;
            }
            catch (TimeoutException)
            {
                await AliveAsync(stream.Endpoint, cancel).ConfigureAwait(false);
            }
        }
    }

    // Any answer is a sign of life, a refusal too. What is asked needs neither a quorum nor the disk.
    private async Task AliveAsync(Uri endpoint, CancellationToken cancel)
    {
        try
        {
            await _transport.CallAsync(endpoint, "/v3/maintenance/status", "{}"u8.ToArray(), null, isSecret: false, cancel).ConfigureAwait(false);
        }
        catch (EtcdCallException e) when (e.Fault != EtcdFault.Unreachable)
        {
        }
    }

    // For everybody, unless somebody has done so already.
    private void Leave(Uri endpoint)
    {
        int current = Volatile.Read(ref _current);
        if (ReferenceEquals(Options.Endpoints[current % Options.Endpoints.Count], endpoint)) Interlocked.CompareExchange(ref _current, (current + 1) % Options.Endpoints.Count, current);
    }
}
