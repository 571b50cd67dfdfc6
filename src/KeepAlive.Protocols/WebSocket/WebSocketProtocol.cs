using KeepAlive.Core;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Http;

namespace KeepAlive.Protocols.WebSocket;

/// <summary>
/// WebSocket over HTTP/1.1 (RFC 6455) with pings of ours in the session, towards the server and towards the client: scripts in
/// browsers can neither send nor see a ping, but every browser answers one.
/// </summary>
/// <remarks>
/// <code>
/// client ── GET ... Upgrade: websocket ──▶ HttpHead ──▶ server
/// client ◀── 101 ── HttpHead ◀────────────────────────  server      anything else: a plain relay
/// client ◀── frames ──▶ FramedProtocol ◀── frames ──▶  server      a pong with our payload is swallowed
/// </code>
/// Control frames may come between the fragments of a message, not inside a frame (section 5.4). Only the last of several pings
/// need be answered (section 5.5.3): while the other end waits for a pong of its own, none of ours is sent.
/// </remarks>
public sealed class WebSocketProtocol : FramedProtocol
{
    private HttpHead? _request = new();
    private HttpHead? _response = new();
    private WebSocketPings _toServer;
    private WebSocketPings _toClient;
    private ulong _random;
    private bool _isDeflated;
    private bool _isClosing;

    /// <summary>A new connection: the client's request is awaited.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seed">For the payloads and masks of our pings.</param>
    public WebSocketProtocol(Instant now, uint seed)
        : base(now)
    {
        _random = seed;
        _toServer = new WebSocketPings(NextRandom());
        _toClient = new WebSocketPings(NextRandom());
    }

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        ref HttpHead? head = ref from == Leg.Downstream ? ref _request : ref _response;
        if (head is { IsEmpty: true } && bytes is [Tls.Handshake, ..]) Surrender(Tls.Why, verdicts);
        if (head is not null && !IsPlain)
        {
            int taken = head.Add(bytes);
            verdicts.Send(from.Other(), bytes[..taken]);
            bytes = bytes[taken..];
            if (head.IsTooLong) Surrender("an HTTP head of over 32 KB: not understood any more", verdicts);
            else if (head.IsWhole && from == Leg.Upstream) OnResponse(verdicts);
            else if (head.IsWhole && !bytes.IsEmpty) Surrender("the client goes on before it is answered: not a WebSocket", verdicts);
            if (IsPlain) (_request, _response) = (null, null); // nobody reads them any more
            if (bytes.IsEmpty) return;
        }

        base.OnReceived(from, bytes, now, verdicts);
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start) =>
        _response is not null ? FrameMeasure.Doubtful("the client goes on before it is answered: not a WebSocket")
        : WebSocketFrame.Measure(start, from == Leg.Downstream, _isDeflated);

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
        _response is not null ? "the WebSocket is not open yet"
        : _isClosing ? "the WebSocket is closing"
        : Towards(towards).IsForeignOpen ? "a ping of the other end's is unanswered"
        : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        Towards(towards).Send(towards, (uint)NextRandom(), Now, verdicts);
        return new ProbeAttempt(ProbeOutcome.Sent, "ping");
    }

    private void OnResponse(Verdicts verdicts)
    {
        HttpHead request = _request!, response = _response!;
        string? doubt = !request.IsWhole ? "the server answers before it is asked"
            : !response.StartLine.StartsWith("HTTP/1.1 101", StringComparison.Ordinal) || !response.Has("Upgrade", "websocket") || response.Field("Sec-WebSocket-Accept") is null
                ? $"no WebSocket was agreed on ({Status(response)})"
            : UnknownExtension(response.Field("Sec-WebSocket-Extensions")) is { } extension ? $"the extension {extension} is not known"
            : null;
        if (doubt is not null)
        {
            Surrender(doubt, verdicts);
            return;
        }

        _isDeflated = response.Field("Sec-WebSocket-Extensions") is not null;
        (_request, _response) = (null, null);
    }

    private static string? UnknownExtension(string? agreed) => agreed?.Split(',')
        .Select(extension => extension.Split(';')[0].Trim()).FirstOrDefault(name => !name.Equals("permessage-deflate", StringComparison.OrdinalIgnoreCase));

    // "HTTP/1.1 404 Not Found" as "404": what else is in it is the server's affair.
    private static string Status(HttpHead response) => response.StartLine.Split(' ') is ["HTTP/1.1" or "HTTP/1.0", { Length: 3 } code, ..] ? code : "not HTTP/1.1";

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
