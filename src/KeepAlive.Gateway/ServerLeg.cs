using System.Net.Sockets;
using KeepAlive.Gateway.Tls;

namespace KeepAlive.Gateway;

/// <summary>A connection to a server for who speaks to it themselves: its bytes as they come, or inside TLS as a gateway's leg.</summary>
internal sealed class ServerLeg : IDisposable
{
    private readonly SocketLeg _leg;

    private ServerLeg(SocketLeg leg) => _leg = leg;

    /// <summary>What the kernel knows it by.</summary>
    public Socket Socket => _leg.Socket;

    /// <summary>The version of TLS; null for none.</summary>
    public string? TlsVersion => (_leg as TlsLeg)?.Version;

    /// <summary>The application protocol that TLS agreed on (RFC 7301); null for none.</summary>
    public string? Alpn => (_leg as TlsLeg)?.Alpn;

    /// <summary>Opens it.</summary>
    /// <param name="server">A connected socket; it stays the caller's when this fails.</param>
    /// <param name="tls">How TLS is spoken; null for none.</param>
    /// <param name="isFtpsAsked">Whether TLS begins by AUTH TLS in an FTP session (RFC 4217), in place of at once.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServerLegException">It cannot be had, and why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public static async Task<ServerLeg> OpenAsync(Socket server, TlsUpstream? tls, bool isFtpsAsked = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(server);
        try
        {
            return new ServerLeg(tls is null ? new SocketLeg(server)
                : isFtpsAsked ? await new FtpsDialog(server, tls, tls.Name).OpenAsync(isImplicit: false, cancellation).ConfigureAwait(false)
                : await tls.ShakeAsync(server, null, cancellation).ConfigureAwait(false));
        }
        catch (Exception e) when (e is TlsException or FtpsException)
        {
            throw new ServerLegException(e.Message, e);
        }
        catch (RelayException e)
        {
            throw new ServerLegException(e);
        }
    }

    /// <summary>Reads; 0 at the end.</summary>
    /// <exception cref="ServerLegException">The connection died.</exception>
    public async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            return await _leg.ReceiveAsync(buffer).ConfigureAwait(false);
        }
        catch (RelayException e)
        {
            throw new ServerLegException(e);
        }
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="ServerLegException">The connection died.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _leg.SendAsync(bytes).ConfigureAwait(false);
        }
        catch (RelayException e)
        {
            throw new ServerLegException(e);
        }
    }

    /// <summary>Says that nothing more comes, behind all that was sent.</summary>
    public ValueTask EndAsync() => _leg.EndAsync();

    /// <summary>Closes it.</summary>
    public void Dispose() => _leg.Close();
}

/// <summary>A <see cref="ServerLeg"/> cannot be had, or has died: the message is why.</summary>
internal sealed class ServerLegException : Exception
{
    internal ServerLegException(string why, Exception cause)
        : base(why, cause)
    {
    }

    internal ServerLegException(RelayException cause)
        : base(RelayFailure.Describe(cause.Call, cause.Error), cause) => Error = cause.Error;

    /// <summary>The socket's error; null where it was none of the socket's.</summary>
    public SocketError? Error { get; }
}
