using System.Globalization;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>One data connection between client and server: plain bytes both ways. Its monitor is its wire's lock.</summary>
/// <param name="client">One side.</param>
/// <param name="server">The other.</param>
/// <param name="engine">What moves the bytes.</param>
/// <param name="keepAlive">The policy in force.</param>
/// <param name="given">Its stamp when the sides were given it.</param>
internal sealed class DataRelay(SocketLeg client, SocketLeg server, RelayEngine engine, LegKeepAlive keepAlive, object given) : IWireOwner
{
    private readonly Flow _flow = new(0, MonotonicClock.Now);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SendWatch _toClient;
    private SendWatch _toServer;
    private Wire? _wire;
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
        lock (this)
        {
            if (_wire is null || _ended.Task.IsCompleted) return;
            string? clientDeath = DeathOf(Leg.Downstream, ref _toClient, bound, now), serverDeath = DeathOf(Leg.Upstream, ref _toServer, bound, now);
            if (clientDeath is null && serverDeath is null) return;
            Die(clientDeath is not null ? $"downstream {clientDeath}" : $"upstream {serverDeath}");
        }
    }

    /// <summary>Gives it the policy in force; before it has begun, it asks for that by itself.</summary>
    public void Renew()
    {
        lock (this)
        {
            if (_wire is null) return;
            foreach (Leg leg in (ReadOnlySpan<Leg>)[Leg.Downstream, Leg.Upstream]) _wire.Renew(leg, keepAlive);
        }
    }

    /// <summary>Relays until both sides are closed; says what was moved and how it ended.</summary>
    public async Task<string> RunAsync()
    {
        lock (this)
        {
            if (!_ended.Task.IsCompleted) Start();
        }

        await _ended.Task.ConfigureAwait(false);
        string moved = string.Create(CultureInfo.InvariantCulture, $"{_flow.Received(Leg.Downstream)} bytes up, {_flow.Received(Leg.Upstream)} bytes down");
        return _death is { } why ? $"{moved}; broken: {why}" : moved;
    }

    public void Reset()
    {
        lock (this)
        {
            if (_wire is not null) _wire.Reset();
            else
            {
                client.Reset();
                server.Reset();
            }

            Over();
        }
    }

    void IWireOwner.OnConnected() => throw new InvalidOperationException("both were connected");

    void IWireOwner.OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now) => throw new InvalidOperationException("a plain wire hands over no bytes");

    bool IWireOwner.IsHolding(Leg from) => false;

    void IWireOwner.OnEnded(Leg from)
    {
        // The end of a file is told by the end of its connection (RFC 959 section 3.4): one that anybody on the way could have made is
        // not passed on as such.
        if (_wire!.IsCutOff(from))
        {
            Die($"{from.Name()} ended without TLS's close_notify: perhaps cut short");
            return;
        }

        if (from == Leg.Downstream) ClientEnded = true;
        else ServerEnded = true;
        _wire.End(from.Other());
    }

    void IWireOwner.OnDone()
    {
        _wire!.Close();
        Over();
    }

    void IWireOwner.OnFailed(Leg leg, RelayCall call, SocketError error) => Die($"{leg.Name()} {RelayFailure.Describe(call, error)}");

    void IWireOwner.OnFault(Leg leg, Exception fault) => Die(FlowTexts.Fault(fault));

    private void Start()
    {
        try
        {
            _wire = Wire.Join(client, server, this, _flow, engine);
            if (keepAlive.Stamp != given) Renew();
            _wire.Start(isPlain: true);
        }
        catch (SocketException e)
        {
            Die($"ended before it began: {e.Message}"); // a peer has reset it already
        }
    }

    private string? DeathOf(Leg leg, ref SendWatch watch, TimeSpan? bound, Instant now)
    {
        if (bound is null) watch.Rest();
        return bound is { } most && watch.IsDead(_wire!.Contact(leg), most, now) ? $"acknowledged nothing for {Duration.Format(most)}"
            : _wire!.DeathUnread(leg)?.Text;
    }

    // The first to say so knows why; the others are its consequence.
    private void Die(string why)
    {
        _death ??= why;
        Reset();
    }

    private void Over()
    {
        ServerEnded = true;
        _ended.TrySetResult();
    }
}
