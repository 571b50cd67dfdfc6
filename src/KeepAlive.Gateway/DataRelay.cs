using System.Globalization;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>One data connection between client and server: plain bytes both ways.</summary>
internal sealed class DataRelay(Socket client, Socket server)
{
    private readonly Flow _flow = new(0, MonotonicClock.Now);
    private SendWatch _toClient;
    private SendWatch _toServer;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _death;

    /// <summary>Done when both sides are closed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The server has ended its side, or the connection is gone.</summary>
    public bool ServerEnded { get; private set; }

    /// <summary>The client has sent all it had and ended its side.</summary>
    public bool ClientEnded { get; private set; }

    /// <summary>
    /// Whether the client was at work on it within this time: bytes moved, or what it sent before its FIN is still on
    /// its way to the server, which buffers can make long.
    /// </summary>
    public bool ProvesClient(TimeSpan within, Instant now) =>
        ClientEnded || _flow.Silence(Leg.Downstream, now) <= within || _flow.Silence(Leg.Upstream, now) <= within;

    /// <summary>Ends it when either peer has acknowledged nothing for the bound.</summary>
    public void Look(TimeSpan bound, Instant now)
    {
        bool clientDead = _toClient.IsDead(client, bound, now), serverDead = _toServer.IsDead(server, bound, now);
        if (!clientDead && !serverDead) return;
        _death = $"{(clientDead ? "downstream" : "upstream")}: nothing acknowledged for {Duration.Format(bound)}";
        Reset();
    }

    /// <summary>Relays until both sides are closed; says what was moved and how it ended.</summary>
    public async Task<string> RunAsync()
    {
        string?[] faults = await Task.WhenAll(
            PumpAsync(client, server, Leg.Downstream), PumpAsync(server, client, Leg.Upstream)).ConfigureAwait(false);
        client.Dispose();
        server.Dispose();
        _ended.SetResult();
        string moved = string.Create(CultureInfo.InvariantCulture, $"{_flow.Received(Leg.Downstream)} bytes up, {_flow.Received(Leg.Upstream)} bytes down");
        return (_death ?? faults.FirstOrDefault(f => f is not null)) is { } fault ? $"{moved}; broken: {fault}" : moved;
    }

    public void Reset()
    {
        client.Reset();
        server.Reset();
    }

    private async Task<string?> PumpAsync(Socket from, Socket to, Leg source)
    {
        try
        {
            await PlainPump.RunAsync(from, to, _flow, source).ConfigureAwait(false);
            SocketIO.ShutdownSend(to);
            if (source == Leg.Downstream) ClientEnded = true;
            return null;
        }
        catch (RelayException e)
        {
            Reset();
            Leg dead = e.Call == RelayCall.Receive ? source : source == Leg.Downstream ? Leg.Upstream : Leg.Downstream;
            return $"{dead.ToString().ToLowerInvariant()} {e.Describe()}";
        }
        finally
        {
            if (source == Leg.Upstream) ServerEnded = true;
        }
    }
}
