using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.WebSocket;

/// <summary>
/// A WebSocket (RFC 6455), from the 101 on, with pings of ours in the session, towards the server and towards the client: scripts in
/// browsers can neither send nor see a ping, but every browser answers one.
/// </summary>
/// <remarks>
/// Control frames may come between the fragments of a message, not inside a frame (section 5.4). Only the last of several pings
/// need be answered (section 5.5.3): while the other end waits for a pong of its own, none of ours is sent.
/// </remarks>
internal sealed class WebSocketProtocol : FramedProtocol
{
    private WebSocketPings _toServer;
    private WebSocketPings _toClient;
    private ulong _random;
    private readonly bool _isDeflated;
    private bool _isClosing;

    /// <summary>One that was just agreed on.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seed">For the payloads and masks of our pings.</param>
    /// <param name="isDeflated">With permessage-deflate.</param>
    public WebSocketProtocol(Instant now, uint seed, bool isDeflated)
        : base(now)
    {
        (_random, _isDeflated) = (seed, isDeflated);
        _toServer = new WebSocketPings(NextRandom());
        _toClient = new WebSocketPings(NextRandom());
    }

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start) =>
        WebSocketFrame.Measure(start, from == Leg.Downstream, _isDeflated);

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        var read = new WebSocketFrame(frame);
        switch (read.Opcode)
        {
            case WebSocketOpcode.Close:
                _isClosing = true;
                break;
            case WebSocketOpcode.Ping:
                Towards(from.Other()).IsForeignOpen = true;
                break;
            case WebSocketOpcode.Pong:
                Span<byte> payload = stackalloc byte[frame.Length];
                if (Towards(from).IsOurs(payload[..read.Unmask(payload)], Now, out TimeSpan? took))
                {
                    if (took is not null) verdicts.Note(FlowEventKind.ProbeAnswered, "pong", from, took);
                    return FrameFate.Swallow;
                }

                Towards(from).IsForeignOpen = false;
                break;
        }

        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) =>
        _isClosing ? "the WebSocket is closing"
        : Towards(towards).IsForeignOpen ? "a ping of the other end's is unanswered"
        : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        Towards(towards).Send(towards, (uint)NextRandom(), Now, verdicts);
        return new ProbeAttempt(ProbeOutcome.Sent, "ping");
    }

    /// <summary>The first extension agreed on whose frames might mean something else; null for none.</summary>
    internal static string? UnknownExtension(string? agreed) => agreed?.Split(',')
        .Select(extension => extension.Split(';')[0].Trim()).FirstOrDefault(name => !name.Equals("permessage-deflate", StringComparison.OrdinalIgnoreCase));

    private ref WebSocketPings Towards(Leg leg) => ref leg == Leg.Upstream ? ref _toServer : ref _toClient;

    // SplitMix64 (Steele, Lea, Flood 2014).
    private ulong NextRandom()
    {
        ulong z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
