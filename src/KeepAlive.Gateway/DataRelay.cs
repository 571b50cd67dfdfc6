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
    private readonly Lock _lock = new();
    private PlainPair? _plain;
    private bool _isReset;
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

    /// <summary>Ends it when either peer has acknowledged nothing for the bound, or has died after its FIN.</summary>
    public void Look(TimeSpan? bound, Instant now)
    {
        string? clientDeath = DeathOf(client, ref _toClient, ClientEnded, bound, now), serverDeath = DeathOf(server, ref _toServer, ServerEnded, bound, now);
        if (clientDeath is null && serverDeath is null) return;
        Die(clientDeath is not null ? $"downstream {clientDeath}" : $"upstream {serverDeath}");
    }

    private static string? DeathOf(Socket socket, ref SendWatch watch, bool ended, TimeSpan? bound, Instant now) =>
        bound is { } most && watch.IsDead(socket, most, now) ? $"acknowledged nothing for {Duration.Format(most)}"
        : ended ? SocketIO.DeathAfterEnd(socket) : null;

    /// <summary>Relays until both sides are closed; says what was moved and how it ended.</summary>
    public async Task<string> RunAsync()
    {
        lock (_lock)
        {
            if (!_isReset) _plain = new PlainPair(client, server, _flow);
        }

        if (_plain is not null) await Task.WhenAll(PumpAsync(_plain, server, Leg.Downstream), PumpAsync(_plain, client, Leg.Upstream)).ConfigureAwait(false);
        else ServerEnded = true;
        client.Dispose();
        server.Dispose();
        _ended.SetResult();
        string moved = string.Create(CultureInfo.InvariantCulture, $"{_flow.Received(Leg.Downstream)} bytes up, {_flow.Received(Leg.Upstream)} bytes down");
        return _death is { } why ? $"{moved}; broken: {why}" : moved;
    }

    public void Reset()
    {
        lock (_lock)
        {
            _isReset = true;
            _plain?.Detach();
        }

        client.Reset();
        server.Reset();
    }

    private async Task PumpAsync(PlainPair plain, Socket to, Leg source)
    {
        try
        {
            await plain.RunAsync(source).ConfigureAwait(false);
            SocketIO.ShutdownSend(to);
            if (source == Leg.Downstream) ClientEnded = true;
        }
        catch (RelayException e)
        {
            Leg dead = e.Call == RelayCall.Receive ? source : source == Leg.Downstream ? Leg.Upstream : Leg.Downstream;
            Die($"{dead.ToString().ToLowerInvariant()} {e.Describe()}");
        }
        catch (OperationCanceledException)
        {
            // Detached: the other direction, or whoever did it, says why.
        }
        finally
        {
            if (source == Leg.Upstream) ServerEnded = true;
        }
    }

    // The first to say so knows why; the others are its consequence.
    private void Die(string why)
    {
        Interlocked.CompareExchange(ref _death, why, null);
        Reset();
    }
}
