namespace KeepAlive.Fleet.Etcd;

/// <summary>An answer of lines that goes on.</summary>
internal sealed class EtcdStream(EtcdTransport transport, Uri endpoint, HttpResponseMessage answer, Stream stream) : IDisposable
{
    /// <summary>Of one line. etcd splits what would be longer than a request may be (1.5 MiB, 2 MiB in base64), unless one value is.</summary>
    public const int LineMax = 16 << 20;

    private readonly EtcdLines _lines = new(stream, LineMax);
    private Task<ReadOnlyMemory<byte>?>? _next;

    public Uri Endpoint => endpoint;

    /// <summary>Waits for the first line, which <see cref="NextAsync"/> then gives.</summary>
    public async Task BeginAsync(CancellationToken cancel)
    {
        _next = _lines.NextAsync(cancel);
        await _next.ConfigureAwait(false);
    }

    /// <summary>The next line; null at the end.</summary>
    /// <param name="silence">How long to wait.</param>
    /// <param name="cancel">The caller gives up.</param>
    /// <exception cref="TimeoutException">Nothing came for so long; it can be asked again.</exception>
    /// <exception cref="EtcdCallException">It broke.</exception>
    public async Task<ReadOnlyMemory<byte>?> NextAsync(TimeSpan silence, CancellationToken cancel)
    {
        // A read that is cancelled closes the connection: so it goes on, and who waits does not.
        _next ??= _lines.NextAsync(CancellationToken.None);
        try
        {
            ReadOnlyMemory<byte>? line = await _next.WaitAsync(silence, cancel).ConfigureAwait(false);
            _next = null;
            return line;
        }
        catch (Exception e) when (EtcdTransport.IsFailure(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw transport.Explain(e, endpoint, isSent: true);
        }
    }

    public void Dispose()
    {
        answer.Dispose();
        stream.Dispose();
        _next?.ContinueWith(static over => _ = over.Exception, TaskScheduler.Default); // what it fails with now is nobody's business
    }
}
