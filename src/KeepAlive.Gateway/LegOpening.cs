using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Tls;
using KeepAlive.Protocols.Proxy;

namespace KeepAlive.Gateway;

/// <summary>
/// What comes on a leg before the bytes of its two ends: PROXY headers and handshakes. Each step has the time that connecting has, and what is not done
/// by then, or goes wrong, costs its own flow alone.
/// </summary>
internal sealed class LegOpening(FlowSetting setting)
{
    private readonly GatewayOptions _options = setting.Options;

    /// <summary>Whose connection it is, as the proxy before us says; null where there is none.</summary>
    /// <param name="client">As it was accepted. Nothing behind the header is read.</param>
    /// <exception cref="OpeningException">There is no header, or one that must not be.</exception>
    /// <exception cref="OperationCanceledException">The gateway stops.</exception>
    public async Task<ProxyHeader?> AnnounceAsync(Socket client)
    {
        if (!_options.ProxyIn) return null;
        return await InTimeAsync(Leg.Downstream, $"PROXY header of {client.RemoteEndPoint}", time => ReadHeaderAsync(client, time)).ConfigureAwait(false);
    }

    /// <summary>The client's leg, ready for bytes.</summary>
    /// <param name="client">As it was accepted; it stays the caller's when this fails.</param>
    /// <exception cref="OpeningException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The gateway stops.</exception>
    public async Task<SocketLeg> AcceptAsync(Socket client)
    {
        if (_options.TlsDownstream is not { } tls) return new SocketLeg(client);
        return await InTimeAsync<SocketLeg>(Leg.Downstream, $"TLS with {client.RemoteEndPoint}", async time => await tls.ShakeAsync(client, time).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>The server's leg, ready for bytes.</summary>
    /// <param name="server">As it was connected; it stays the caller's when this fails.</param>
    /// <param name="client">The other end.</param>
    /// <param name="announced">What its proxy says of it.</param>
    /// <param name="flow">The flow's number.</param>
    /// <exception cref="OpeningException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The gateway stops.</exception>
    public async Task<SocketLeg> ReachAsync(Socket server, Socket client, ProxyHeader? announced, long flow)
    {
        if (_options.ProxyOut is { } version)
        {
            IPEndPoint source = announced?.Source ?? (IPEndPoint)client.RemoteEndPoint!, destination = announced?.Destination ?? (IPEndPoint)client.LocalEndPoint!;
            await InTimeAsync(Leg.Upstream, $"PROXY header to {_options.To}", async time =>
                await server.SendAsync(ProxyHeaderWriter.Write(version, source, destination), time).ConfigureAwait(false)).ConfigureAwait(false);
        }

        if (_options.TlsUpstream is not { } tls) return new SocketLeg(server);
        if (_options.IsFtps)
        {
            var dialog = new FtpsDialog(server, tls, TlsSpelling.Of(tls.Name, flow));
            return await InTimeAsync<SocketLeg>(Leg.Upstream, $"FTPS with {_options.To}", async time => await dialog.OpenAsync(_options.To.Port == _options.Protocol.TlsPort, time).ConfigureAwait(false), FtpsDialog.Refusal).ConfigureAwait(false);
        }

        return await InTimeAsync<SocketLeg>(Leg.Upstream, $"TLS with {_options.To}", async time => await tls.ShakeAsync(server, null, time).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>A leg of a data connection, ready for bytes: TLS where the control connection's leg is, and as the same end as there (RFC 4217 section 7).</summary>
    /// <param name="leg">Which.</param>
    /// <param name="socket">Connected; it stays the caller's when this fails.</param>
    /// <param name="flow">The flow's number.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TlsException">It failed, and why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<SocketLeg> DataAsync(Leg leg, Socket socket, long flow, CancellationToken cancellation) => leg switch
    {
        Leg.Upstream when _options.TlsUpstream is { } tls => await tls.ShakeAsync(socket, TlsSpelling.Of(tls.Name, flow), cancellation).ConfigureAwait(false),
        Leg.Downstream when _options.TlsDownstream is { } tls => await tls.ShakeAsync(socket, cancellation).ConfigureAwait(false),
        _ => new SocketLeg(socket),
    };

    // What is seen of a header that is not whole belongs to it; what is seen behind it is left where it is.
    private static async Task<ProxyHeader> ReadHeaderAsync(Socket client, CancellationToken time)
    {
        byte[] header = new byte[ProxyHeaderReader.BytesMax];
        for (int read = 0; ;)
        {
            int seen = await client.ReceiveAsync(header.AsMemory(read), SocketFlags.Peek, time).ConfigureAwait(false);
            ProxyHeaderState state = ProxyHeaderReader.Read(header.AsSpan(0, read + seen), out ProxyHeader said, out int length, out string? fault);
            if (state == ProxyHeaderState.Malformed) throw new ProxyHeaderException($"{fault}: only a proxy that sends one may connect here (--proxy-in)");
            if (seen == 0) throw new ProxyHeaderException("it ended before it was whole");
            int own = (state == ProxyHeaderState.Whole ? length : read + seen) - read;
            while (own > 0)
            {
                int taken = await client.ReceiveAsync(header.AsMemory(read, own), SocketFlags.None, time).ConfigureAwait(false);
                if (taken == 0) throw new ProxyHeaderException("it ended before it was whole");
                (read, own) = (read + taken, own - taken);
            }

            if (state == ProxyHeaderState.Whole) return said;
        }
    }

    private async Task<T> InTimeAsync<T>(Leg leg, string what, Func<CancellationToken, Task<T>> work, ReadOnlyMemory<byte>? words = null)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(setting.Stopping);
        time.CancelAfter(_options.ConnectTimeout);
        try
        {
            return await work(time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!setting.Stopping.IsCancellationRequested)
        {
            throw new OpeningException(leg, $"{what}: not done within {Duration.Format(_options.ConnectTimeout)} (--connect-timeout)", e) { Words = words };
        }
        catch (Exception e) when (e is TlsException or FtpsException or ProxyHeaderException or RelayException or SocketException)
        {
            throw new OpeningException(leg, $"{what}: {e.Message}", e) { Words = (e as FtpsException)?.Words ?? words };
        }
    }
}

/// <summary>A client's PROXY header is none; the message is why.</summary>
internal sealed class ProxyHeaderException(string why) : Exception(why);

/// <summary>A leg cannot be had; the message says why, in one sentence.</summary>
internal sealed class OpeningException(Leg leg, string why, Exception? cause = null) : Exception(why, cause)
{
    /// <summary>Which.</summary>
    public Leg Leg { get; } = leg;

    /// <summary>What the client is told; null for the protocol's own refusal.</summary>
    public ReadOnlyMemory<byte>? Words { get; init; }
}
