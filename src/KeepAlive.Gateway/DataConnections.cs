using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
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
    private bool _closed;

    /// <summary>Whether one that the server has not ended proves that the client was there within this time.</summary>
    public bool ProveClient(TimeSpan within, Instant now) => _relays.Any(relay => !relay.ServerEnded && relay.ProvesClient(within, now));

    /// <summary>Ends those whose peer has acknowledged nothing for the bound, or has died after its FIN.</summary>
    public void Look(TimeSpan? bound, Instant now) => _relays.Look(bound, now);

    public bool IsOpen
    {
        get
        {
            lock (_lock) if (_listing is not null) return true;
            return _relays.Any(relay => !relay.ServerEnded);
        }
    }

    // A client whose proxy has announced it dials us by itself, or by that proxy.
    public bool IsPeer(Leg leg, IPAddress address) => Wire.Plain(address) is var plain && (plain.Equals(flow.Wire?.Peer(leg)) || plain.Equals(flow.PeerOf(leg)));

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
        if (flow.Wire is null || flow.PeerOf(towards) is not { } peer)
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

        setting.KeepAlive.Apply(near, from, flow.Flow.Id);
        setting.KeepAlive.Apply(far, towards, flow.Flow.Id);
        (Socket client, Socket server) = from == Leg.Downstream ? (near, far) : (far, near);
        await RelayAsync(new DataRelay(new SocketLeg(client), new SocketLeg(server), setting.Options.Engine), $"{(from == Leg.Downstream ? "passive" : "active")}, port {port} of the {towards.Name()} peer").ConfigureAwait(false);
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
        if (flow.Wire?.Peer(Leg.Upstream) is not { } peer) return;
        try
        {
            server = await setting.Dialer.DialAsync(new HostPort(peer.ToString(), port)).ConfigureAwait(false);
            lock (_lock)
            {
                if (_closed) return;
                _listing = server;
            }

            setting.KeepAlive.Apply(server, Leg.Upstream, flow.Flow.Id);
            byte[] sink = new byte[4096];
            while (await SocketIO.ReceiveAsync(server, sink).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is DialException or RelayException or ObjectDisposedException)
        {
            if (Unlist(server) || server is null) Emit(FlowEventKind.Notice, $"the listing's data connection failed: {e.Message}", Leg.Upstream);
        }
        finally
        {
            Unlist(server);
            server?.Dispose();
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
