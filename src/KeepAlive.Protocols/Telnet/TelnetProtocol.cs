using KeepAlive.Core;
using KeepAlive.Protocols.Framing;
using static KeepAlive.Protocols.Telnet.TelnetCommand;

namespace KeepAlive.Protocols.Telnet;

/// <summary>Telnet (RFC 854) with a Timing-Mark of ours to either end (RFC 860), or NOP where it is not answered.</summary>
/// <remarks>
/// <para>
/// DO TIMING-MARK is answered with WILL or WONT by all that speak Telnet, as an option that is not known must be (RFC 1143), in
/// the order of the questions. What only looks like Telnet does not answer: a Timing-Mark counts as a question only once
/// an end has answered one, and goes only to an end that has negotiated anything.
/// </para>
/// <para>Nothing goes inside a subnegotiation, behind a lone IAC, or between a CR and what belongs to it.</para>
/// </remarks>
internal sealed class TelnetProtocol : FramedProtocol
{
    private readonly Side _client = new();
    private readonly Side _server = new();

    // One leg's peer.
    private sealed class Side
    {
        public bool IsInSubnegotiation { get; set; }

        public bool IsBehindCr { get; set; }

        /// <summary>It has negotiated: it is no raw connection that happens to be on this port.</summary>
        public bool IsTelnet { get; set; }

        /// <summary>It has answered a Timing-Mark of ours.</summary>
        public bool Answers { get; set; }

        /// <summary>Questions of ours it has not answered.</summary>
        public int Ours { get; set; }

        /// <summary>Those of the other end.</summary>
        public int Foreign { get; set; }

        public Instant AskedAt { get; set; }
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last byte an idle session is probed; without end unless given.</param>
    public TelnetProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax)
    {
    }

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => Of(from).IsInSubnegotiation || Of(from).IsBehindCr;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        // data ...  IAC IAC (a byte 255)  IAC command  IAC WILL|WONT|DO|DONT option  IAC SB option ... IAC SE
        int data = start.IndexOf(Iac);
        if (data != 0) return FrameMeasure.Of(data < 0 ? start.Length : data);
        if (start.Length < 2) return FrameMeasure.NeedsMore;
        if (start[1] < SubnegotiationEnd) return FrameMeasure.Doubtful("a command that Telnet does not have: not understood any more");
        return start[1] is Will or Wont or Do or Dont or Subnegotiation ? FrameMeasure.Whole(3) : FrameMeasure.Whole(2);
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        Side side = Of(from);
        if (frame[0] != Iac)
        {
            if (!side.IsInSubnegotiation) side.IsBehindCr = frame[^1] == '\r';
            return FrameFate.Pass;
        }

        if (side.IsInSubnegotiation && frame[1] is not (SubnegotiationEnd or Iac)) Surrender("a subnegotiation without end: not understood any more", verdicts);
        side.IsInSubnegotiation = frame[1] == Subnegotiation || (side.IsInSubnegotiation && frame[1] == Iac);
        if (frame[1] == Iac && !side.IsInSubnegotiation) side.IsBehindCr = false;
        if (frame.Length < 3) return FrameFate.Pass;
        side.IsTelnet = true;
        if (frame[1] == Subnegotiation && frame[2] is Compress2 or Encrypt) Surrender("compressed or encrypted from here, kernel keepalive only", verdicts);
        if (frame[2] != TimingMark) return FrameFate.Pass;
        if (frame[1] == Do) Of(from.Other()).Foreign++;
        return frame[1] is Will or Wont ? OnAnswer(from, side, verdicts) : FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) =>
        !Of(towards).IsTelnet ? "nothing was negotiated: it may be no Telnet" : Of(towards).Foreign > 0 ? "a Timing-Mark of the other end's is unanswered" : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        Side side = Of(towards);
        if (side.Ours > 0 && !side.Answers)
        {
            verdicts.Send(towards, [Iac, NoOperation]);
            return new ProbeAttempt(ProbeOutcome.Refreshed, "NOP");
        }

        (side.Ours, side.AskedAt) = (side.Ours + 1, Now);
        verdicts.Send(towards, [Iac, Do, TimingMark]);
        return new ProbeAttempt(side.Answers ? ProbeOutcome.Sent : ProbeOutcome.Refreshed, "Timing-Mark");
    }

    private FrameFate OnAnswer(Leg from, Side side, Verdicts verdicts)
    {
        if (side.Ours == 0)
        {
            if (side.Foreign > 0) side.Foreign--;
            return FrameFate.Pass;
        }

        side.Answers = true;
        bool isLast = --side.Ours == 0;
        verdicts.Note(FlowEventKind.ProbeAnswered, "Timing-Mark", from, isLast ? Now - side.AskedAt : null);
        return FrameFate.Swallow;
    }

    private Side Of(Leg leg) => leg == Leg.Downstream ? _client : _server;
}
