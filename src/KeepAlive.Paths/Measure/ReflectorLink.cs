using System.Globalization;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Paths.Reflect;

namespace KeepAlive.Paths.Measure;

/// <summary>The control connection of a measurement, at the client (docs/path-protocol.md).</summary>
internal sealed class ReflectorLink : IDisposable
{
    private static readonly TimeSpan OpeningTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(1);

    // The middlebox that is measured may end this connection too; without an answer for so long it is gone.
    private static readonly TimeSpan PongTime = TimeSpan.FromSeconds(20);

    private readonly PathLines _lines;
    private volatile TaskCompletionSource _pong = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Instant _pongAt;

    private ReflectorLink(PathLines lines, string session) => (_lines, Session, _pongAt) = (lines, session, PathClock.Now);

    /// <summary>The session's name, which lanes give.</summary>
    public string Session { get; }

    /// <summary>Lanes that the server allows, and the longest silence.</summary>
    public required (int Lanes, TimeSpan Silence) Allowed { get; init; }

    /// <summary>Opens a session.</summary>
    /// <param name="socket">Connected; closed with the link, or when this fails.</param>
    /// <param name="token">The shared secret; empty for none.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="PathProtocolException">There is no reflector, or it does not let us measure; what to do.</exception>
    /// <exception cref="SocketException">The connection failed.</exception>
    public static async Task<ReflectorLink> OpenAsync(Socket socket, ReadOnlyMemory<byte> token, CancellationToken stop)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(OpeningTime);
        var lines = new PathLines(socket);
        try
        {
            string nonce = PathProtocol.NewNonce();
            string opening = $"{PathProtocol.Greeting} CONTROL {nonce} ";
            await lines.WriteAsync(opening.PadRight(PathProtocol.OpeningBytesMin, '.'), time.Token).ConfigureAwait(false);
            if (await lines.ReadAsync(time.Token).ConfigureAwait(false) is not ["CHALLENGE", var serverNonce, var door] || !PathProtocol.IsNonce(serverNonce))
                throw new PathProtocolException("no reflector is there: start 'keepalive reflect' at the far end, or measure against an ordinary server with --against URL");
            if (door == "token" == token.IsEmpty) throw new PathProtocolException(token.IsEmpty ? "the reflector wants its token: give --token FILE" : "the reflector has no token, so that it cannot be told from another: start it with --token FILE");
            await lines.WriteAsync($"PROOF {(token.IsEmpty ? "-" : PathProtocol.Proof(token.Span, PathSide.Client, nonce, serverNonce))}", time.Token).ConfigureAwait(false);
            switch (await lines.ReadAsync(time.Token).ConfigureAwait(false))
            {
                case ["WELCOME", var session, var lanes, var silence, var proof]
                    when PathProtocol.IsNonce(session) && int.TryParse(lanes, NumberStyles.None, CultureInfo.InvariantCulture, out int lanesMax) && TryMilliseconds(silence, out TimeSpan silenceMax):
                    if (!token.IsEmpty && !PathProtocol.IsProof(proof, PathProtocol.Proof(token.Span, PathSide.Server, nonce, serverNonce))) throw new PathProtocolException("the reflector does not have the token that was given: it may be another machine");
                    return new ReflectorLink(lines, session) { Allowed = (lanesMax, silenceMax) };
                case ["BUSY"]:
                    throw new PathProtocolException("the reflector serves as many clients as it may: try again later, or start it with a greater --max-clients");
                case null when !token.IsEmpty:
                    throw new PathProtocolException("the reflector did not take the token: give it the same file");
                default:
                    throw new PathProtocolException("the reflector closed the connection, or is of another version");
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            lines.Dispose();
            throw new PathProtocolException($"the other end did not answer within {Duration.Format(OpeningTime)}: no reflector is there");
        }
        catch
        {
            lines.Dispose();
            throw;
        }
    }

    /// <summary>Sends an order.</summary>
    public Task OrderAsync(string order, Lane lane, CancellationToken stop) =>
        _lines.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{order} {lane.Number}"), stop);

    /// <summary>One round trip, before anything else is asked.</summary>
    public async Task<TimeSpan> RoundTripAsync(CancellationToken stop)
    {
        Instant sent = PathClock.Now;
        await _lines.WriteAsync($"PING {sent.Ticks}", stop).ConfigureAwait(false);
        if (await _lines.ReadAsync(stop).ConfigureAwait(false) is not ["PONG", _]) throw Ended();
        return PathClock.Now - sent;
    }

    /// <summary>Pings once a second, until the server does not answer.</summary>
    /// <exception cref="PathProtocolException">It has not answered for too long.</exception>
    public async Task PingAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(PingEvery, stop).ConfigureAwait(false);
            await _lines.WriteAsync($"PING {PathClock.Now.Ticks}", stop).ConfigureAwait(false);
            if (PathClock.Now - _pongAt > PongTime) throw new PathProtocolException($"the reflector has not answered for {Duration.Format(PongTime)}: it is gone, or the path is");
        }
    }

    /// <summary>Waits for an answer to a question that is asked now, while <see cref="ReadAsync"/> reads.</summary>
    public async Task ConfirmAsync(CancellationToken stop)
    {
        var pong = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pong = pong;
        await _lines.WriteAsync($"PING {PathClock.Now.Ticks}", stop).ConfigureAwait(false);
        await pong.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Hands on what the server tells, until the connection ends.</summary>
    /// <exception cref="PathProtocolException">It ended.</exception>
    public async Task ReadAsync(Action<TimeSpan> onRoundTrip, Action<int, LaneState> onState, Action<int, LaneEnd, TimeSpan> onGone, CancellationToken stop)
    {
        while (await _lines.ReadAsync(stop).ConfigureAwait(false) is { } words)
        {
            switch (words)
            {
                case ["PONG", var at] when long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out long ticks):
                    _pongAt = PathClock.Now;
                    onRoundTrip(_pongAt - new Instant(ticks));
                    _pong.TrySetResult();
                    break;
                case ["STATE", var lane, var segments, var bytes] when TryLane(lane, out int number) && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out long bytesIn):
                    onState(number, new LaneState(long.TryParse(segments, NumberStyles.None, CultureInfo.InvariantCulture, out long segmentsIn) ? segmentsIn : null, bytesIn, null));
                    break;
                case ["GONE", var lane, var how, var silence] when TryLane(lane, out int number) && TryMilliseconds(silence, out TimeSpan age):
                    onGone(number, how switch { "fin" => LaneEnd.Close, "reset" => LaneEnd.Reset, _ => LaneEnd.Timeout }, age);
                    break;
                default:
                    throw new PathProtocolException("the reflector says what this version does not know");
            }
        }

        throw Ended();
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    private static PathProtocolException Ended() => new("the reflector ended the measurement: it was stopped, or its bounds are reached (its own output says which)");

    private static bool TryLane(string word, out int lane) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out lane) && lane < PathProtocol.LaneNumbers;

    private static bool TryMilliseconds(string word, out TimeSpan time)
    {
        bool good = long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long milliseconds) && milliseconds <= (long)TimeSpan.MaxValue.TotalMilliseconds;
        time = good ? TimeSpan.FromMilliseconds(milliseconds) : default;
        return good;
    }
}
