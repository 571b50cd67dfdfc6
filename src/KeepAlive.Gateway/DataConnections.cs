using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Tls;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// The data connections of one flow. Safe against bounce (RFC 2577): only the control connection's peers take part,
/// one is accepted, and not waited for longer than <see cref="AcceptWait"/>.
/// </summary>
internal sealed class DataConnections(FlowRelay flow, FlowSetting setting) : IDataPaths
{
    /// <summary>How long a peer may take from being told an address to dialling it.</summary>
    private static readonly TimeSpan AcceptWait = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly DataRelays _relays = new();
    private Socket? _listener;
    private Socket? _listing;

    // Between being connected and being relayed: those inside TLS.
    private List<(Socket Client, Socket Server)>? _shaking;
    private bool _closed;

    /// <summary>The client's own address, where the control connection's peer is its proxy.</summary>
    public IPAddress? Announced { get; set; }

    /// <summary>Whether one that the server has not ended proves that the client was there within this time.</summary>
    public bool ProveClient(TimeSpan within, Instant now) => _relays.Any(relay => !relay.ServerEnded && relay.ProvesClient(within, now));

    /// <summary>Ends those whose peer has acknowledged nothing for the bound, or has died after its FIN.</summary>
    public void Look(TimeSpan? bound, Instant now) => _relays.Look(bound, now);

    /// <summary>Gives them the policy in force; one that is being opened asks for that by itself.</summary>
    public void Renew()
    {
        lock (_lock)
        {
            if (_listing is not null) setting.KeepAlive.Apply(_listing, Leg.Upstream, flow.Flow.Id);
        }

        _relays.Renew();
    }

    public bool IsOpen
    {
        get
        {
            lock (_lock) if (_listing is not null) return true;
            return _relays.Any(relay => !relay.ServerEnded);
        }
    }

    // A client whose proxy has announced it dials us by itself, or by that proxy.
    public bool IsPeer(Leg leg, IPAddress address) => Wire.Plain(address) is var plain && (plain.Equals(flow.Wire?.Peer(leg)) || plain.Equals(PeerOf(leg)));

    public IPEndPoint? Open(Leg from, int port)
    {
        if (flow.Wire?.Local(from) is not { } local || DataPort.Listen(local, setting.Options.DataPorts) is not { } listener) return null;
        var bound = (IPEndPoint)listener.LocalEndPoint!;
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = listener;
        }

        _ = ServeAsync(listener, from, port);
        return new IPEndPoint(Wire.Plain(bound.Address), bound.Port);
    }

    public void Drain(int port) => _ = DrainAsync(port);

    public void Close()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            _listing?.Reset();
            _listing = null;
            ResetShaking();
        }

        _relays.Reset();
    }

    /// <summary>The control connection is over: nothing new is opened; done when what is open has ended.</summary>
    public Task FinishAsync()
    {
        lock (_lock)
        {
            _closed = true;
            _listener?.Dispose();
            _listener = null;
            _listing?.Reset(); // nobody waits for it but us
            _listing = null;
            ResetShaking();
        }

        return _relays.FinishAsync();
    }

    private async Task ServeAsync(Socket listener, Leg from, int port)
    {
        try
        {
            Socket near = await AcceptPeerAsync(listener, from).ConfigureAwait(false);
            await RelayAsync(near, from, port).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Replaced by a newer offer, the flow has ended, or nobody came: the server or client says so on the control connection.
        }
        finally
        {
            Forget(listener);
        }
    }

    private async Task<Socket> AcceptPeerAsync(Socket listener, Leg from)
    {
        using var wait = new CancellationTokenSource(AcceptWait);
        for (bool told = false; ; told = true)
        {
            Socket near = await listener.AcceptAsync(wait.Token).ConfigureAwait(false);
            IPAddress peer = ((IPEndPoint)near.RemoteEndPoint!).Address;
            if (IsPeer(from, peer))
            {
                Forget(listener);
                return near;
            }

            // Once: whoever dials on and on must not fill the log.
            if (!told) Emit(FlowEventKind.Notice, $"a data connection from {peer} was turned away: only the {from.Name()} peer may dial it", from);
            near.Reset();
        }
    }

    private async Task RelayAsync(Socket near, Leg from, int port)
    {
        Leg towards = from.Other();
        if (flow.Wire is null || PeerOf(towards) is not { } peer)
        {
            near.Reset(); // the flow is over
            return;
        }

        Socket far;
        try
        {
            far = await setting.Dialer.DialAsync(new HostPort(peer.ToString(), port)).ConfigureAwait(false);
        }
        catch (DialException e)
        {
            Emit(FlowEventKind.Notice, $"data connection failed: {e.Message}", towards);
            near.Reset();
            return;
        }

        object given = setting.KeepAlive.Stamp;
        setting.KeepAlive.Apply(near, from, flow.Flow.Id);
        setting.KeepAlive.Apply(far, towards, flow.Flow.Id);
        (Socket client, Socket server) = from == Leg.Downstream ? (near, far) : (far, near);
        if (await ShakeAsync(client, server).ConfigureAwait(false) is not var (clientLeg, serverLeg)) return;
        await RelayAsync(new DataRelay(clientLeg, serverLeg, setting.Options.Engine, setting.KeepAlive, given), $"{(from == Leg.Downstream ? "passive" : "active")}, port {port} of the {towards.Name()} peer").ConfigureAwait(false);
    }

    // Both inside TLS where they have to be; null when that is not to be had: both are closed, and nothing went in plain text.
    private async Task<(SocketLeg Client, SocketLeg Server)?> ShakeAsync(Socket client, Socket server)
    {
        if (!setting.Options.HasTls) return (new SocketLeg(client), new SocketLeg(server));
        (Socket, Socket) both = (client, server);
        lock (_lock)
        {
            (_shaking ??= []).Add(both);
            if (_closed) ResetShaking();
        }

        // Servers begin when they have been asked for the transfer, clients when they are told that it begins: they get the time for both.
        using var time = new CancellationTokenSource(AcceptWait);
        Leg at = Leg.Upstream;
        SocketLeg? serverLeg = null;
        try
        {
            serverLeg = await setting.Opening.DataAsync(at, server, flow.Flow.Id, time.Token).ConfigureAwait(false);
            at = Leg.Downstream;
            SocketLeg clientLeg = await setting.Opening.DataAsync(at, client, flow.Flow.Id, time.Token).ConfigureAwait(false);
            if (Unshake(both)) return (clientLeg, serverLeg);
            clientLeg.Reset();
            serverLeg.Reset();
            return null;
        }
        catch (Exception e) when (e is TlsException or OperationCanceledException)
        {
            bool isAsked = !Unshake(both);
            if (e is TlsException { HasBegun: false } || isAsked)
            {
                // There is to be no transfer: the control connection says why.
                client.CloseOrderly();
            }
            else
            {
                string why = e is TlsException ? e.Message : $"not done within {Duration.Format(AcceptWait)}";
                Emit(FlowEventKind.Notice, $"data connection failed: TLS: {why}", at);
                client.Reset();
            }

            server.CloseOrderly(); // what TLS had to say to it is on its way
            serverLeg?.Close();
            return null;
        }
    }

    private IPAddress? PeerOf(Leg leg) => leg == Leg.Downstream && Announced is { } client ? client : flow.Wire?.Peer(leg);

    // False when it has been closed meanwhile.
    private bool Unshake((Socket, Socket) both)
    {
        lock (_lock) return _shaking!.Remove(both);
    }

    private void ResetShaking()
    {
        foreach ((Socket client, Socket server) in _shaking ?? [])
        {
            client.Reset();
            server.Reset();
        }

        _shaking?.Clear();
    }

    private async Task RelayAsync(DataRelay relay, string which)
    {
        Emit(FlowEventKind.DataOpened, which);
        Instant opened = MonotonicClock.Now;
        string outcome = await _relays.RunAsync(relay).ConfigureAwait(false);
        Emit(FlowEventKind.DataClosed, outcome, took: MonotonicClock.Now - opened);
    }

    private async Task DrainAsync(int port)
    {
        Socket? server = null;
        SocketLeg? leg = null;
        if (flow.Wire?.Peer(Leg.Upstream) is not { } peer) return;
        try
        {
            server = await setting.Dialer.DialAsync(new HostPort(peer.ToString(), port)).ConfigureAwait(false);
            lock (_lock)
            {
                if (_closed) return;
                _listing = server;
                setting.KeepAlive.Apply(server, Leg.Upstream, flow.Flow.Id); // here, so that it is before a change or after it
            }

            using var time = new CancellationTokenSource(AcceptWait);
            leg = await setting.Opening.DataAsync(Leg.Upstream, server, flow.Flow.Id, time.Token).ConfigureAwait(false);
            byte[] sink = new byte[4096];
            while (await leg.ReceiveAsync(sink).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is DialException or RelayException or TlsException or OperationCanceledException or ObjectDisposedException)
        {
            if (Unlist(server) || server is null) Emit(FlowEventKind.Notice, $"the listing's data connection failed: {e.Message}", Leg.Upstream);
        }
        finally
        {
            Unlist(server);
            server?.Dispose();
            leg?.Close();
        }
    }

    // False when it has been closed meanwhile.
    private bool Unlist(Socket? listing)
    {
        lock (_lock)
        {
            if (_listing != listing) return false;
            _listing = null;
            return true;
        }
    }

    private void Forget(Socket listener)
    {
        lock (_lock)
        {
            if (_listener == listener) _listener = null;
        }

        listener.Dispose();
    }

    private void Emit(FlowEventKind kind, string text, Leg? leg = null, TimeSpan? took = null) =>
        setting.Emit(new FlowEvent(flow.Flow.Id, MonotonicClock.Now, kind, text) { Leg = leg, Took = took });
}
