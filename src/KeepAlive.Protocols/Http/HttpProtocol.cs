using KeepAlive.Core;
using KeepAlive.Protocols.WebSocket;

namespace KeepAlive.Protocols.Http;

/// <summary>
/// HTTP/1.1 with comments of ours in streams of server-sent events, which every client passes over; where asked for, interim
/// responses while a request waits for its answer. A WebSocket that is agreed on, and HTTP/2, are followed.
/// </summary>
/// <remarks>
/// <code>
/// client ── requests ──▶ HttpHead, HttpBody ──▶ server          everything passes as it comes: nothing is held, nothing swallowed
/// client ◀── responses ── HttpHead, HttpBody ◀── server         an event stream between two chunks, at a line's start: ":" LF
///        101 Upgrade: websocket ─▶ WebSocketProtocol            "PRI * HTTP/2.0" ─▶ Http2Protocol
/// </code>
/// Towards the server nothing can be said between requests or while it answers: any byte would be a request.
/// </remarks>
internal sealed class HttpProtocol : Protocol
{
    // More are unanswered only where nothing answers.
    private const int OpenMax = 100;

    private readonly Queue<HttpRequest> _open = new();
    private readonly HttpOptions _options;
    private readonly Http2Manners _manners;
    private readonly uint _seed;
    private Protocol? _successor;
    private HttpHead? _request;
    private HttpHead? _response;
    private HttpBody _requestBody;
    private HttpBody _responseBody;
    private bool _isEventStream;
    private bool _isEnding;
    private bool _isAsked;

    /// <summary>A new connection: the client's request is awaited.</summary>
    /// <param name="options">What the operator asked for.</param>
    /// <param name="manners">Of the server, shared by its flows.</param>
    /// <param name="seed">For the payloads of pings.</param>
    public HttpProtocol(HttpOptions options, Http2Manners manners, uint seed) => (_options, _manners, _seed) = (options, manners, seed);

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    public override bool IsHolding(Leg from) => _successor?.IsHolding(from) == true;

    /// <inheritdoc/>
    public override Instant Deadline => _successor?.Deadline ?? Instant.Never;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        while (!bytes.IsEmpty && _successor is null)
        {
            int taken = IsPlain ? bytes.Length : from == Leg.Downstream ? TakeRequest(bytes, now, verdicts) : TakeResponse(bytes, now, verdicts);
            verdicts.Send(from.Other(), bytes[..taken]);
            bytes = bytes[taken..];
        }

        if (bytes.IsEmpty) return;
        _successor!.OnReceived(from, bytes, now, verdicts);
        FollowSuccessor();
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts)
    {
        _isEnding = true;
        _successor?.OnEnded(from, verdicts);
    }

    /// <inheritdoc/>
    public override void OnDeadline(Instant now, Verdicts verdicts)
    {
        _successor?.OnDeadline(now, verdicts);
        FollowSuccessor();
    }

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        if (_successor is not null) return _successor.TryProbe(towards, now, verdicts);
        if (WhyNot(towards) is { } why) return new ProbeAttempt(ProbeOutcome.Withheld, why);
        if (_responseBody.IsOver)
        {
            verdicts.Send(towards, "HTTP/1.1 102 Processing\r\n\r\n"u8);
            return new ProbeAttempt(ProbeOutcome.Refreshed, "102 Processing");
        }

        verdicts.Send(towards, _responseBody.IsChunked ? "2\r\n:\n\r\n"u8 : ":\n"u8);
        return new ProbeAttempt(ProbeOutcome.Refreshed, "comment in the event stream");
    }

    // A comment is a line that begins with a colon. Before the first byte a byte order mark may still come, which counts only there.
    private string? WhyNot(Leg towards) =>
        IsPlain ? "plain relay"
        : _isEnding ? "the session is ending"
        : towards == Leg.Upstream ? "HTTP/1.1 has nothing to say to a server beside requests: kernel keepalive only"
        : _response is not null ? "in the middle of a message"
        : _responseBody.IsOver ? WhyNotInformed
        : !_isEventStream ? "in a response that is no plain stream of events"
        : !_responseBody.IsBetween ? "in the middle of a message"
        : _responseBody.Last is null ? "the stream of events has not begun"
        : _responseBody.Last != '\n' ? "in the middle of a line"
        : null;

    private string? WhyNotInformed =>
        _open.Count == 0 ? "no request is open"
        : !_options.Interim ? "a response is awaited: only 102 could be said meanwhile (--http-interim)"
        : !_open.Peek().MayBeInformed ? "a response is awaited by HTTP/1.0, which has no interim ones"
        : _request is not null || !_requestBody.IsOver ? "in the middle of a request"
        : null;

    private int TakeRequest(ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        if (!_requestBody.IsOver) return TakeBody(ref _requestBody, bytes, verdicts);
        if (!_isAsked && _request is null && bytes[0] == Tls.Handshake) BecomePlain(Tls.Why, verdicts);
        if (IsPlain) return bytes.Length;
        if (!TakeHead(ref _request, bytes, out int taken, verdicts)) return taken;
        HttpHead head = _request!;
        _request = null;
        if (!_isAsked && head.StartLine == "PRI * HTTP/2.0")
        {
            Follow(new Http2Protocol(_manners, now, _seed));
            return taken;
        }

        _isAsked = true;
        if (HttpRequest.Read(head) is { } request && HttpRequest.BodyOf(head) is { } body && _open.Count < OpenMax)
        {
            _open.Enqueue(request);
            _requestBody = body;
        }
        else
        {
            BecomePlain(_open.Count < OpenMax ? "a request whose framing is not certain: not understood any more" : $"{OpenMax} requests are unanswered: not understood any more", verdicts);
        }

        return taken;
    }

    private int TakeResponse(ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        if (!_responseBody.IsOver) return TakeBody(ref _responseBody, bytes, verdicts);
        if (_open.Count == 0) BecomePlain("the server answers before it is asked", verdicts);
        if (IsPlain) return bytes.Length;
        if (!TakeHead(ref _response, bytes, out int taken, verdicts)) return taken;
        HttpHead head = _response!;
        _response = null;
        if (HttpResponse.Read(head) is not { } response || response.BodyOf(head, _open.Peek()) is not { } body)
        {
            BecomePlain("a response whose framing is not certain: not understood any more", verdicts);
        }
        else if (response.Status == 101)
        {
            Switch(head, now, verdicts);
        }
        else if (!response.IsInterim)
        {
            if (_open.Dequeue().Method == "CONNECT" && response.Status < 300) BecomePlain("a tunnel (CONNECT)", verdicts);
            _responseBody = body;
            _isEventStream = !body.IsCounted && HttpResponse.IsEventStream(head);
        }

        return taken;
    }

    private void Switch(HttpHead head, Instant now, Verdicts verdicts)
    {
        string? why = !head.Has("Upgrade", "websocket") || head.Field("Sec-WebSocket-Accept") is null ? "the protocol is switched to one that is not known"
            : _open.Count > 1 || _request is not null || !_requestBody.IsOver ? "the client goes on before it is answered: not a WebSocket"
            : WebSocketProtocol.UnknownExtension(head.Field("Sec-WebSocket-Extensions")) is { } extension ? $"the extension {extension} is not known"
            : null;
        if (why is not null) BecomePlain(why, verdicts);
        else Follow(new WebSocketProtocol(now, _seed, isDeflated: head.Field("Sec-WebSocket-Extensions") is not null));
    }

    // Whether it is whole now.
    private bool TakeHead(ref HttpHead? head, ReadOnlySpan<byte> bytes, out int taken, Verdicts verdicts)
    {
        head ??= new HttpHead();
        taken = head.Add(bytes);
        if (head.IsTooLong) BecomePlain("an HTTP head of over 32 KB: not understood any more", verdicts);
        if (IsPlain) (_request, _response) = (null, null); // nobody reads them any more
        return !IsPlain && head.IsWhole;
    }

    private int TakeBody(ref HttpBody body, ReadOnlySpan<byte> bytes, Verdicts verdicts)
    {
        int taken = body.Take(bytes, out string? doubt);
        if (doubt is not null) BecomePlain($"{doubt}: not understood any more", verdicts);
        return taken;
    }

    private void Follow(Protocol successor)
    {
        _successor = successor;
        (_request, _response) = (null, null);
        _open.Clear();
        _open.TrimExcess();
    }

    // It has said why.
    private void FollowSuccessor()
    {
        if (_successor is { IsPlain: true }) BecomePlain();
    }
}
