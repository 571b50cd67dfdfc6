using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Mqtt;

/// <summary>MQTT 3.1, 3.1.1 and 5 with a PINGREQ between the client's packets.</summary>
/// <remarks>
/// <para>
/// A PINGRESP has no mark, but comes in the order of the questions. Ours is asked only when none of the client's is open: the next
/// PINGRESP is ours, whatever the client asks meanwhile.
/// </para>
/// <para>
/// A server takes a client for dead after one and a half times the client's Keep Alive, and publishes its Will. Pings of ours say
/// in the client's name that it lives: the gateway lets them out only while the client is proven to.
/// </para>
/// </remarks>
internal sealed class MqttProtocol : FramedProtocol
{
    private enum Packet
    {
        Connect = 1,
        ConnectAnswer = 2,
        PingRequest = 12,
        PingAnswer = 13,
        Disconnect = 14,
    }

    private enum Phase : byte
    {
        Begins,
        Connects,
        Runs,
        Over,
    }

    private Phase _phase = Phase.Begins;
    private int _open;
    private int _ours;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    public MqttProtocol(Instant now)
        : base(now)
    {
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        //  4 bits   4       1 to 4, 7 bits each, least first
        // +------+-------+------------------+
        // | kind | flags | remaining length |   MQTT 5 section 2.1
        // +------+-------+------------------+
        const int LengthBytesMax = 4;
        if (_phase == Phase.Begins && from == Leg.Downstream && start[0] != (byte)Packet.Connect << 4)
            return FrameMeasure.Doubtful(start[0] == Tls.Handshake ? Tls.Why : "not MQTT: not understood");
        if (start[0] >> 4 == 0 || (_phase == Phase.Begins && from == Leg.Upstream)) return Strange;
        int length = 0;
        for (int i = 1; i < start.Length && i <= LengthBytesMax; i++)
        {
            length |= (start[i] & 0x7F) << (7 * (i - 1));
            if (start[i] >= 0x80) continue;
            if (length > 0 && (Packet)(start[0] >> 4) is Packet.PingRequest or Packet.PingAnswer) return Strange;
            bool isWhole = (Packet)(start[0] >> 4) is Packet.ConnectAnswer && i + length < HeldBytesMax;
            return isWhole ? FrameMeasure.Whole(1 + i + length) : FrameMeasure.Of(1 + i + length);
        }

        return start.Length <= LengthBytesMax ? FrameMeasure.NeedsMore : Strange;
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        switch ((Packet)(frame[0] >> 4))
        {
            case Packet.Connect when from == Leg.Downstream:
                _phase = Phase.Connects;
                break;
            case Packet.ConnectAnswer when from == Leg.Upstream && _phase == Phase.Connects:
                _phase = IsAccepted(frame) ? Phase.Runs : Phase.Over;
                break;
            case Packet.PingRequest when from == Leg.Downstream:
                _open++;
                break;
            case Packet.PingAnswer when from == Leg.Upstream:
                if (_ours > 0)
                {
                    _ours--;
                    verdicts.Note(FlowEventKind.ProbeAnswered, "PINGRESP", Leg.Upstream, Now - ProbedAt);
                    return FrameFate.Swallow;
                }

                if (_open > 0) _open--;
                break;
            case Packet.Disconnect:
                _phase = Phase.Over;
                break;
        }

        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => _phase switch
    {
        Phase.Begins or Phase.Connects => "the client is not connected yet",
        Phase.Over => "the session is ending",
        _ => _open > 0 ? "a PINGREQ of the client's is unanswered" : null,
    };

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _ours++;
        verdicts.Send(towards, [(byte)Packet.PingRequest << 4, 0]);
        return new ProbeAttempt(ProbeOutcome.Sent, "PINGREQ");
    }

    private static FrameMeasure Strange => FrameMeasure.Doubtful("not MQTT: not understood any more");

    // Flags, then a code: 0 in every version.
    private static bool IsAccepted(ReadOnlySpan<byte> frame)
    {
        int at = 1;
        while (at < frame.Length && frame[at] >= 0x80) at++;
        return at + 2 < frame.Length && frame[at + 2] == 0;
    }
}
