using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Paths.Reflect;

/// <summary>
/// The cooperating end of a measurement (docs/path-protocol.md): holds connections silent and breaks the silence when it is time.
/// <code>
/// accept ─▶ unproven ─┬ CONTROL, proof ─▶ PathSession ─ by name ─┐
///           ≤ 256, 5 s └ LANE, session's name ───────────────────┴▶ HeldLane, one a connection
/// </code>
/// </summary>
internal sealed class PathReflector : IAsyncDisposable
{
    private readonly PathReflectorOptions _options;
    private readonly Action<FlowEvent> _tell;
    private readonly Acceptor _acceptor;
    private readonly Dictionary<string, PathSession> _sessions = [];
    private readonly Unproven _unproven;
    private readonly Lock _lock = new();
    private int _lanes;

    private PathReflector(PathReflectorOptions options, Acceptor acceptor, Action<FlowEvent> tell)
    {
        (_options, _acceptor, _tell, _unproven) = (options, acceptor, tell, new Unproven(options.MaxUnproven));
        acceptor.Begin(Admit);
    }

    /// <summary>Where clients are accepted.</summary>
    public IPEndPoint Listening => _acceptor.Listening;

    /// <summary>Starts to accept.</summary>
    /// <param name="options">What it is told.</param>
    /// <param name="tell">Told of clients that come, go and are refused; by many threads.</param>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static PathReflector Start(PathReflectorOptions options, Action<FlowEvent> tell)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tell);
        return new PathReflector(options, Acceptor.Listen(options.Listen), tell);
    }

    /// <summary>Ends every connection.</summary>
    public ValueTask DisposeAsync() => _acceptor.DisposeAsync();

    private Func<Task>? Admit(long number, Socket client)
    {
        IPAddress from;
        try
        {
            from = ((IPEndPoint)client.RemoteEndPoint!).Address;
        }
        catch (SocketException)
        {
            client.Dispose(); // gone already
            return null;
        }

        var lines = new PathLines(client);
        LinkedListNode<(PathLines Lines, IPAddress From)> place;
        PathLines? evicted;
        lock (_lock) (place, evicted) = _unproven.Add(lines, from);
        evicted?.Reset();
        return () => RunAsync(number, lines, () => Prove(place));
    }

    private async Task RunAsync(long number, PathLines lines, Action prove)
    {
        try
        {
            lines.Socket.NoDelay = true;
            using var proof = CancellationTokenSource.CreateLinkedTokenSource(_acceptor.Stop);
            proof.CancelAfter(_options.ProofTime);
            string[]? words = await lines.ReadAsync(proof.Token).ConfigureAwait(false);
            if (words is [PathProtocol.Greeting, "CONTROL", var nonce, ..] && PathProtocol.IsNonce(nonce) && lines.BytesRead >= PathProtocol.OpeningBytesMin)
                await ControlAsync(number, lines, nonce, prove, proof.Token).ConfigureAwait(false);
            else if (words is [PathProtocol.Greeting, "LANE", ..]) await LaneAsync(lines, words, prove).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException or PathProtocolException)
        {
            // Whatever an end does ends its connection, and no other.
        }
        finally
        {
            prove();
            lines.Dispose();
        }
    }

    private async Task ControlAsync(long number, PathLines lines, string clientNonce, Action prove, CancellationToken proofTime)
    {
        string serverNonce = PathProtocol.NewNonce(), from = $"{lines.Socket.RemoteEndPoint}";
        await lines.WriteAsync($"CHALLENGE {serverNonce} {(_options.Token.IsEmpty ? "open" : "token")}", proofTime).ConfigureAwait(false);
        if (await lines.ReadAsync(proofTime).ConfigureAwait(false) is not ["PROOF", var proof] || !IsProven(proof, clientNonce, serverNonce))
        {
            Tell(number, FlowEventKind.Refused, $"{from} does not have the token");
            return;
        }

        using var session = new PathSession(lines, _options.MaxBytes);
        string name = PathProtocol.NewNonce();
        lock (_lock)
        {
            if (_sessions.Count < _options.MaxSessions) _sessions.Add(name, session);
            else name = "";
        }

        prove();
        if (name.Length == 0)
        {
            Tell(number, FlowEventKind.Refused, $"{from} turned away: {_options.MaxSessions} clients are here, the most that --max-clients allows");
            await lines.WriteAsync("BUSY", proofTime).ConfigureAwait(false);
            return;
        }

        string own = _options.Token.IsEmpty ? "-" : PathProtocol.Proof(_options.Token.Span, PathSide.Server, clientNonce, serverNonce);
        long silenceMax = (long)(_options.MaxTime < PathProtocol.TimeMax ? _options.MaxTime : PathProtocol.TimeMax).TotalMilliseconds;
        Tell(number, FlowEventKind.Connected, $"{from} measures");
        string why = "";
        try
        {
            await lines.WriteAsync($"WELCOME {name} {_options.MaxLanes} {silenceMax} {own}", proofTime).ConfigureAwait(false);
            why = await session.RunAsync(_options.MaxTime, _acceptor.Stop).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _sessions.Remove(name);
            Tell(number, FlowEventKind.Closed, $"{from} is done: {session.Opened} connections{(why.Length == 0 ? "" : ", " + why)}");
        }
    }

    private bool IsProven(string proof, string clientNonce, string serverNonce) =>
        _options.Token.IsEmpty || PathProtocol.IsProof(proof, PathProtocol.Proof(_options.Token.Span, PathSide.Client, clientNonce, serverNonce));

    private async Task LaneAsync(PathLines lines, string[] words, Action prove)
    {
        if (!LaneRequest.TryParse(words, out LaneRequest request)) return;
        PathSession? session;
        lock (_lock)
        {
            if (!_sessions.TryGetValue(request.Session, out session) || _lanes >= _options.MaxFlows || session.Lanes >= _options.MaxLanes) return;
            _lanes++;
        }

        prove();
        try
        {
            await session.HoldAsync(lines, request).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _lanes--;
        }
    }

    private void Prove(LinkedListNode<(PathLines Lines, IPAddress From)> place)
    {
        lock (_lock) _unproven.Remove(place);
    }

    private void Tell(long number, FlowEventKind kind, string text) => _tell(new FlowEvent(number, PathClock.Now, kind, text) { Leg = Leg.Downstream });
}
