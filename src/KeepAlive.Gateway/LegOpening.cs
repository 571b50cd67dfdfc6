using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Tls;

namespace KeepAlive.Gateway;

/// <summary>
/// What comes on a leg before the bytes of its two ends: handshakes. Each leg has the time that connecting has, and what is not done
/// by then, or goes wrong, costs its own flow alone.
/// </summary>
internal sealed class LegOpening(FlowSetting setting)
{
    private readonly GatewayOptions _options = setting.Options;

    /// <summary>The client's leg, ready for bytes.</summary>
    /// <param name="client">As it was accepted; it stays the caller's when this fails.</param>
    /// <param name="flow">The flow.</param>
    /// <exception cref="OpeningException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The gateway stops.</exception>
    public async Task<SocketLeg> AcceptAsync(Socket client, long flow)
    {
        if (_options.TlsDownstream is not { } tls) return new SocketLeg(client);
        return await InTimeAsync<SocketLeg>(Leg.Downstream, $"TLS with {client.RemoteEndPoint}", async time => await tls.ShakeAsync(client, time).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>The server's leg, ready for bytes.</summary>
    /// <param name="server">As it was connected; it stays the caller's when this fails.</param>
    /// <param name="client">The other end.</param>
    /// <param name="flow">The flow.</param>
    /// <exception cref="OpeningException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The gateway stops.</exception>
    public async Task<SocketLeg> ReachAsync(Socket server, Socket client, long flow)
    {
        if (_options.TlsUpstream is not { } tls) return new SocketLeg(server);
        return await InTimeAsync<SocketLeg>(Leg.Upstream, $"TLS with {_options.To}", async time => await tls.ShakeAsync(server, null, time).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task<T> InTimeAsync<T>(Leg leg, string what, Func<CancellationToken, Task<T>> work)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(setting.Stopping);
        time.CancelAfter(_options.ConnectTimeout);
        try
        {
            return await work(time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!setting.Stopping.IsCancellationRequested)
        {
            throw new OpeningException(leg, $"{what}: not done within {Duration.Format(_options.ConnectTimeout)} (--connect-timeout)", e);
        }
        catch (Exception e) when (e is TlsException or RelayException)
        {
            throw new OpeningException(leg, $"{what}: {e.Message}", e);
        }
    }
}

/// <summary>A leg cannot be had; the message says why, in one sentence.</summary>
internal sealed class OpeningException(Leg leg, string why, Exception? cause = null) : Exception(why, cause)
{
    /// <summary>Which.</summary>
    public Leg Leg { get; } = leg;

    /// <summary>What the client is told; null for the protocol's own refusal.</summary>
    public ReadOnlyMemory<byte>? Words { get; init; }
}
