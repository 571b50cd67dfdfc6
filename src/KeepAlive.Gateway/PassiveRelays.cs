using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// The server's passive ports, one to one, for clients of encrypted control connections: the gateway cannot read
/// which port the server offers, and most clients dial the control peer, which is us. Open to clients that have a
/// flow, towards that flow's server, alone. Of a client with several flows nobody can tell whose transfer it is: so
/// the end of none of them ends it.
/// </summary>
internal sealed class PassiveRelays : IDisposable
{
    private const int Backlog = 128;

    private readonly FlowSet _flows;
    private readonly FlowSetting _setting;
    private readonly List<Socket> _listeners = [];
    private readonly DataRelays _open = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _isLookDue = new(0);

    /// <exception cref="ListenException">A port of the range is taken.</exception>
    public PassiveRelays(PortRange range, IPAddress address, FlowSet flows, FlowSetting setting)
    {
        _flows = flows;
        _setting = setting;
        try
        {
            for (int port = range.First; port <= range.Last; port++) _listeners.Add(ListenSocket.Open(new IPEndPoint(address, port), Backlog));
        }
        catch (ListenException)
        {
            Dispose();
            throw;
        }

        foreach (Socket listener in _listeners) _ = AcceptAsync(listener);
        _ = LookAsync(_stop.Token);
    }

    /// <summary>Accepts no more; done when what is open has ended.</summary>
    public Task FinishAsync()
    {
        foreach (Socket listener in _listeners) listener.Dispose();
        return _open.FinishAsync();
    }

    /// <summary>Gives what is open the policy in force.</summary>
    public void Renew()
    {
        _open.Renew();
        _isLookDue.Release();
    }

    /// <summary>Ends what is open.</summary>
    public void Dispose()
    {
        foreach (Socket listener in _listeners) listener.Dispose();
        _open.Reset();
        _stop.Cancel();
    }

    private async Task AcceptAsync(Socket listener)
    {
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        while (true)
        {
            try
            {
                Socket client = await listener.AcceptAsync().ConfigureAwait(false);
                _ = RelayAsync(client, port);
            }
            catch (Exception e) when (e is SocketException { SocketErrorCode: SocketError.OperationAborted } or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors: the control connections' accept loop reports it.
                await Task.Delay(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            }
        }
    }

    private async Task RelayAsync(Socket client, int port)
    {
        if (client.RemoteEndPoint is not IPEndPoint { Address: { } address } || FlowOf(Wire.Plain(address)) is not { Wire: { } wire } owner
            || client.LocalEndPoint is not IPEndPoint { Address: { } here } || wire.Peer(Leg.Upstream) is not { } peer || peer.Equals(Wire.Plain(here)))
        {
            // Not a client of ours; or a server on our own address, whose ports these would be: we would dial ourselves.
            client.Reset();
            return;
        }

        try
        {
            Socket server = await _setting.Dialer.DialAsync(new HostPort(peer.ToString(), port)).ConfigureAwait(false);
            object given = _setting.KeepAlive.Stamp;
            _setting.KeepAlive.Apply(client, Leg.Downstream, owner.Flow.Id);
            _setting.KeepAlive.Apply(server, Leg.Upstream, owner.Flow.Id);
            Instant opened = MonotonicClock.Now;
            _setting.Emit(new FlowEvent(owner.Flow.Id, opened, FlowEventKind.DataOpened, $"passive port {port}, one to one"));
            string outcome = await _open.RunAsync(new DataRelay(new SocketLeg(client), new SocketLeg(server), _setting.Options.Engine, _setting.KeepAlive, given)).ConfigureAwait(false);
            Instant ended = MonotonicClock.Now;
            _setting.Emit(new FlowEvent(owner.Flow.Id, ended, FlowEventKind.DataClosed, outcome) { Took = ended - opened });
        }
        catch (DialException e)
        {
            _setting.Emit(new FlowEvent(owner.Flow.Id, MonotonicClock.Now, FlowEventKind.Notice, $"data connection failed: {e.Message}") { Leg = Leg.Upstream });
            client.Reset();
        }
    }

    // No flow's clock looks at these.
    private async Task LookAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await ((Task)_isLookDue.WaitAsync(_setting.KeepAlive.EndedLook, stop)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _open.Look(_setting.KeepAlive.SendBound, MonotonicClock.Now);
        }
    }

    // A client with several flows has them to the same server: this is one gateway.
    private FlowRelay? FlowOf(IPAddress client) => _flows.Snapshot().FirstOrDefault(flow => client.Equals(flow.Wire?.Peer(Leg.Downstream)));
}
