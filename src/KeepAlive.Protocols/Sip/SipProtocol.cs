using System.Globalization;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Sip;

/// <summary>SIP over TCP (RFC 3261) with the double CRLF of RFC 5626 to a server that has agreed to answer it.</summary>
/// <remarks>
/// Between two messages CR LF CR LF is a ping, and CR LF its answer, which has no mark but comes in turn. A server agrees in its answer to
/// REGISTER: by <c>Require: outbound</c> or a Flow-Timer (RFC 5626 sections 4.4.1 and 6). Its client answers none.
/// </remarks>
internal sealed class SipProtocol : LineProtocol
{
    private const int LengthMax = 16 * 1024 * 1024;

    private readonly Side _client = new();
    private readonly Side _server = new();
    private bool _isAgreed;
    private bool _isBegun;
    private int _ours;
    private int _foreign;

    // One leg's peer.
    private sealed class Side
    {
        public bool IsInHead { get; set; }

        /// <summary>One of the two line ends of a ping.</summary>
        public bool IsInPing { get; set; }

        public long Length { get; set; }

        /// <summary>So far a good answer to REGISTER.</summary>
        public bool IsGood { get; set; }

        public bool IsRegister { get; set; }

        public bool IsOutbound { get; set; }
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    public SipProtocol(Instant now)
        : base(now)
    {
    }

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => (from == Leg.Downstream ? _client : _server) is { IsInHead: true } or { IsInPing: true } || base.IsInMessage(from);

    /// <inheritdoc/>
    protected override string? Doubt(Leg from, ReadOnlySpan<byte> start) => !_isBegun && start[0] == Tls.Handshake ? Tls.Why : null;

    /// <inheritdoc/>
    protected override FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        Side side = from == Leg.Downstream ? _client : _server;
        if (!side.IsInHead && line.IsEmpty) return OnLineEndAlone(from, side, verdicts);
        if (!side.IsInHead) OnStart(side, line, verdicts);
        else if (line.IsEmpty) OnHeadEnd(from, side, verdicts);
        else OnField(side, line);
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => !_isAgreed ? "the server has not agreed to answer pings (RFC 5626)" : _foreign > 0 ? "a ping of the client's is unanswered" : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _ours++;
        verdicts.Send(towards, "\r\n\r\n"u8);
        return new ProbeAttempt(ProbeOutcome.Sent, "CRLF CRLF");
    }

    private FrameFate OnLineEndAlone(Leg from, Side side, Verdicts verdicts)
    {
        if (from == Leg.Downstream)
        {
            side.IsInPing = !side.IsInPing;
            if (!side.IsInPing) _foreign++;
            return FrameFate.Pass;
        }

        if (_ours > 0)
        {
            bool isLast = --_ours == 0;
            verdicts.Note(FlowEventKind.ProbeAnswered, "CRLF", Leg.Upstream, isLast ? Now - ProbedAt : null);
            return FrameFate.Swallow;
        }

        if (_foreign > 0) _foreign--;
        return FrameFate.Pass;
    }

    private void OnStart(Side side, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        bool isAnswer = line.StartsWith("SIP/2.0 "u8);
        if (!isAnswer && !line.EndsWith(" SIP/2.0"u8)) Surrender("not a message of SIP's: not understood any more", verdicts);
        _isBegun = true;
        (side.IsInHead, side.IsInPing, side.Length) = (true, false, -1);
        (side.IsGood, side.IsRegister, side.IsOutbound) = (isAnswer && line[8] == '2', false, false);
    }

    // Names have short forms (RFC 3261 section 7.3.3).
    private static void OnField(Side side, ReadOnlySpan<byte> line)
    {
        string text = Encoding.Latin1.GetString(line);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return;
        string value = text[(colon + 1)..].Trim();
        switch (text[..colon].Trim().ToUpperInvariant())
        {
            case "CONTENT-LENGTH" or "L":
                side.Length = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int length) && length <= LengthMax ? length : -1;
                break;
            case "CSEQ":
                side.IsRegister = value.EndsWith("REGISTER", StringComparison.Ordinal);
                break;
            case "FLOW-TIMER":
                side.IsOutbound = true;
                break;
            case "REQUIRE":
                side.IsOutbound |= value.Split(',', StringSplitOptions.TrimEntries).Contains("outbound", StringComparer.OrdinalIgnoreCase);
                break;
        }
    }

    private void OnHeadEnd(Leg from, Side side, Verdicts verdicts)
    {
        side.IsInHead = false;
        // Over TCP every message tells its length (RFC 3261 section 18.3).
        if (side.Length < 0) Surrender("a message without a length: not understood any more", verdicts);
        else if (side.Length > 0) ExpectBytes(from, side.Length);
        _isAgreed |= from == Leg.Upstream && side is { IsGood: true, IsRegister: true, IsOutbound: true };
    }
}
