namespace KeepAlive.Protocols;

/// <summary>
/// A client's stream to its server that keeps itself alive in the words of their protocol: probes go in between the client's messages,
/// their answers stay out of its sight, and a server that answers none of them is found dead.
/// </summary>
/// <remarks>
/// <para>It stands between a client library that takes a <see cref="Stream"/> and the connection: over a
/// <see cref="System.Net.Sockets.NetworkStream"/>, or over an <see cref="System.Net.Security.SslStream"/> where the protocol is inside TLS.
/// Both ends get exactly the bytes that they sent each other. A probe goes in at a message boundary only, in a state known to be
/// safe; where the protocol is in doubt (STARTTLS, compression, an unknown extension) the stream becomes a plain one, for good.</para>
/// <para>One reader and one writer at a time, as any stream. When the server is dead, reads and writes fail with an
/// <see cref="IOException"/>.</para>
/// </remarks>
public sealed class KeepAliveStream : Stream
{
    private readonly ProbedStream _probed;

    /// <summary>Puts keepalive into a stream on which nothing was said yet.</summary>
    /// <param name="inner">The connection to the server; disposed of with this one.</param>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="policy">When to probe, and when the server is dead.</param>
    /// <param name="hold">For how long after the client's last message an idle session is kept alive, against the server's own idle timeout if
    /// that is shorter; null is what is known to be within it, 5 minutes for most.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">There is no such protocol; the message names all.</exception>
    public KeepAliveStream(Stream inner, string protocol, KeepAlivePolicy policy, TimeSpan? hold = null)
        : this(inner, protocol, policy, hold, KeepAliveClock.Shared, TimeProvider.System)
    {
    }

    internal KeepAliveStream(Stream inner, string protocol, KeepAlivePolicy policy, TimeSpan? hold, KeepAliveClock clock, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(protocol);
        ArgumentNullException.ThrowIfNull(policy);
        NewProtocol make = StreamProtocols.Find(protocol, hold)
            ?? throw new ArgumentException($"'{protocol}' is no protocol with probes: give one of {string.Join(", ", Protocols)}", nameof(protocol));
        _probed = new ProbedStream(inner, make, policy, clock, time);
    }

    /// <summary>The protocols it speaks: <c>ftp</c>, <c>ldap</c>, <c>websocket</c>, <c>redis</c>, <c>imap</c> and others.</summary>
    public static IReadOnlyList<string> Protocols { get; } = StreamProtocols.Names;

    /// <summary>Cancelled when the server is dead.</summary>
    public CancellationToken PeerDied => _probed.Flow.PeerDied;

    /// <summary>Why it is a plain stream from here on, without probes; null while it is not.</summary>
    public string? WhyPlain => _probed.WhyPlain;

    internal KeepAliveFlow Flow => _probed.Flow;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <summary>Never.</summary>
    public override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _probed.ReadAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _probed.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => _probed.ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _probed.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _probed.WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => _probed.WriteAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override void Flush() => _probed.Inner.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _probed.Inner.FlushAsync(cancellationToken);

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _probed.Dispose();
        base.Dispose(disposing);
    }
}
