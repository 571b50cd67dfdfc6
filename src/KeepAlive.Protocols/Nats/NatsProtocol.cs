using System.Buffers.Text;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Nats;

/// <summary>NATS (docs.nats.io, "Client protocol") with a PING of ours to the server and to the client.</summary>
/// <remarks>
/// A PONG has no mark, but comes in the order of the questions. Ours is asked only when none of the other end's is open: the next
/// PONG of that leg is ours, whatever the other end asks meanwhile.
/// </remarks>
internal sealed class NatsProtocol : LineProtocol
{
    private readonly Side _client = new();
    private readonly Side _server = new();
    private bool _isConnected;
    private bool _isIn;

    // What one leg's peer is saying, and what it was asked.
    private sealed class Side
    {
        public string Verb { get; set; } = "";

        /// <summary>Pings of ours it has not answered.</summary>
        public int Ours { get; set; }

        public Instant AskedAt { get; set; }

        /// <summary>Those of the other end.</summary>
        public int Foreign { get; set; }
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    public NatsProtocol(Instant now)
        : base(now)
    {
    }

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override string? Doubt(Leg from, ReadOnlySpan<byte> start) => from == Leg.Downstream && start[0] == Tls.Handshake ? "TLS: encrypted, kernel keepalive only" : null;

    /// <inheritdoc/>
    protected override FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        int space = line.IndexOfAny((byte)' ', (byte)'\t');
        string verb = Encoding.ASCII.GetString(space < 0 ? line : line[..space]).ToUpperInvariant();
        Of(from).Verb = verb;
        bool isKnown = verb is "PING" or "PONG" or "" || (from == Leg.Downstream ? verb is "CONNECT" or "PUB" or "HPUB" or "SUB" or "UNSUB" : verb is "INFO" or "MSG" or "HMSG" or "+OK" or "-ERR");
        if (!isKnown) Surrender("not a message of NATS': not understood any more", verdicts);
        _isConnected |= verb == "CONNECT";
        _isIn |= _isConnected && verb is "PONG" or "MSG" or "HMSG" or "+OK" && from == Leg.Upstream;
        if (verb == "PING") Of(from.Other()).Foreign++;
        if (verb != "PONG") return FrameFate.Pass;
        if (Of(from).Ours > 0)
        {
            bool isLast = --Of(from).Ours == 0;
            verdicts.Note(FlowEventKind.ProbeAnswered, "PONG", from, isLast ? Now - Of(from).AskedAt : null);
            return FrameFate.Swallow;
        }

        if (Of(from).Foreign > 0) Of(from).Foreign--;
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override void OnLineEnd(Leg from, ReadOnlySpan<byte> tail)
    {
        // PUB and MSG tell last how many bytes follow; behind those is CR LF.
        const int LineEnd = 2;
        if (Of(from).Verb is not ("PUB" or "HPUB" or "MSG" or "HMSG")) return;
        ReadOnlySpan<byte> word = tail.TrimEnd((byte)' ');
        word = word[(word.LastIndexOfAny((byte)' ', (byte)'\t') + 1)..];
        if (Utf8Parser.TryParse(word, out int bytes, out int used) && used == word.Length && bytes >= 0) ExpectBytes(from, bytes + (long)LineEnd);
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => !_isIn ? "before the client is connected" : Of(towards).Foreign > 0 ? "a PING of the other end's is unanswered" : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        Of(towards).Ours++;
        Of(towards).AskedAt = Now;
        verdicts.Send(towards, "PING\r\n"u8);
        return new ProbeAttempt(ProbeOutcome.Sent, "PING");
    }

    private Side Of(Leg leg) => leg == Leg.Downstream ? _client : _server;
}
