using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KeepAlive.Gateway.Tls;

/// <summary>A leg whose bytes are inside TLS. Death, keepalive and resets are the socket's, as everywhere.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Close and Reset end it, as they end every leg.")]
internal sealed class TlsLeg : SocketLeg
{
    private readonly TlsTransport _transport;
    private readonly SslStream _tls;
    private ReadOnlyMemory<byte> _ahead;

    /// <summary>The handshake is to come.</summary>
    public TlsLeg(Socket socket)
        : base(socket)
    {
        _transport = new TlsTransport(socket);
        _tls = new SslStream(_transport, leaveInnerStreamOpen: false);
    }

    public override bool IsBare => false;

    public override bool IsCutOff => _transport.HasEnded;

    /// <summary><c>TLS 1.3</c>.</summary>
    public string Version => _tls.SslProtocol switch
    {
        SslProtocols.Tls13 => "TLS 1.3",
        SslProtocols.Tls12 => "TLS 1.2",
        var other => $"{other}",
    };

    /// <summary>The application protocol agreed on (RFC 7301); null for none.</summary>
    public string? Alpn => _tls.NegotiatedApplicationProtocol is { Protocol.IsEmpty: false } agreed ? agreed.ToString() : null;

    /// <exception cref="TlsException">It failed, and why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public Task ShakeAsync(SslClientAuthenticationOptions options, CancellationToken cancellation) => ShakeAsync(_tls.AuthenticateAsClientAsync(options, cancellation));

    /// <exception cref="TlsException">It failed, and why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public Task ShakeAsync(SslServerAuthenticationOptions options, CancellationToken cancellation) => ShakeAsync(_tls.AuthenticateAsServerAsync(options, cancellation));

    /// <summary>Bytes that were read of the leg already, to be read first.</summary>
    public void PutBack(ReadOnlyMemory<byte> bytes) => _ahead = bytes;

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (_ahead.IsEmpty) return ReadAsync(buffer);
        int length = Math.Min(buffer.Length, _ahead.Length);
        _ahead[..length].CopyTo(buffer);
        _ahead = length == _ahead.Length ? default : _ahead[length..];
        return ValueTask.FromResult(length);
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _tls.WriteAsync(bytes).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDeath(e))
        {
            throw Death(RelayCall.Send, e);
        }
        catch (InvalidOperationException)
        {
            throw new RelayException(RelayCall.Send, new SocketException((int)SocketError.Shutdown)); // behind our own close_notify, as behind a FIN
        }
    }

    /// <summary>TLS knows no urgent data: the byte goes in its place among the others.</summary>
    public override ValueTask SendUrgentAsync(ReadOnlyMemory<byte> bytes) => SendAsync(bytes);

    /// <summary>close_notify, then the FIN; what the peer still has to say is read (RFC 8446 section 6.1).</summary>
    public override async ValueTask EndAsync()
    {
        try
        {
            await _tls.ShutdownAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (IsDeath(e) || e is InvalidOperationException)
        {
            // Gone, or never shaken hands on.
        }

        await base.EndAsync().ConfigureAwait(false);
    }

    // The socket first: what is pending on it ends, and nothing more is sent.
    public override void Close()
    {
        base.Close();
        _tls.Dispose();
    }

    public override void Reset()
    {
        base.Reset();
        _tls.Dispose();
    }

    private async Task ShakeAsync(Task handshake)
    {
        try
        {
            await handshake.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await _tls.DisposeAsync().ConfigureAwait(false); // the socket is the caller's still
            if (IsDeath(e)) throw new TlsException(TlsFault.Describe(e, _transport.FirstByte, _transport.HasEnded), e) { HasBegun = _transport.FirstByte is not null };
            throw;
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await _tls.ReadAsync(buffer).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDeath(e))
        {
            throw Death(RelayCall.Receive, e);
        }
    }

    private static bool IsDeath(Exception e) => e is IOException or SocketException or AuthenticationException or ObjectDisposedException;

    private static RelayException Death(RelayCall call, Exception e) =>
        e is ObjectDisposedException ? new RelayException(call, e)
        : (e as SocketException ?? e.InnerException as SocketException) is { } socket ? new RelayException(call, socket)
        : new RelayException(RelayCall.Decrypt, e);
}

/// <summary>A TLS handshake failed; the message is why, in one sentence.</summary>
internal sealed class TlsException(string why, Exception? cause = null) : Exception(why, cause)
{
    /// <summary>Whether the other end had begun it.</summary>
    public bool HasBegun { get; init; } = true;
}

/// <summary>The socket below TLS, which remembers two things that TLS does not tell: what came first, and whether the socket has ended.</summary>
internal sealed class TlsTransport(Socket socket) : NetworkStream(socket, ownsSocket: false)
{
    /// <summary>The first byte that came; null for none.</summary>
    public byte? FirstByte { get; private set; }

    /// <summary>The socket's end was read. After a close_notify it is not read any more.</summary>
    public bool HasEnded { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (buffer.IsEmpty) return read;
        if (read == 0) HasEnded = true;
        else FirstByte ??= buffer.Span[0];
        return read;
    }
}
