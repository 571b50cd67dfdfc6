using System.Globalization;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Redis;

/// <summary>Redis (RESP 2 and 3) with a PING of ours between the client's commands, and for subscribers.</summary>
/// <remarks>
/// <para>
/// <c>PING text</c> is answered with the text, in a session with subscriptions under RESP 2 with <c>pong</c> and the text. The text is
/// ours and of this flow: what is answered with it is swallowed. Refused (<c>-NOPERM</c>), the error is ours by its turn.
/// </para>
/// <para>
/// Nothing is sent before something was answered (<c>-NOAUTH</c> otherwise), with a command open, which may block, in MULTI, where the
/// answer would come in the result of EXEC, after ASKING and CLIENT CACHING, which are about the next command, once CLIENT
/// REPLY was used, and to a monitor or replica.
/// </para>
/// </remarks>
internal sealed class RedisProtocol : FramedProtocol
{
    // Words that matter are not longer, errors neither.
    private const int WordBytesMax = 64;

    private readonly RedisCommands _commands = new();
    private readonly byte[] _ping;
    private readonly byte[] _pong;
    private readonly byte[] _subscribersPong;
    private long _ofCommand;
    private long _ofAnswer;
    private int _word;
    private int _ours;
    private bool _isError;
    private bool _isPush;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seed">For the text of our PINGs.</param>
    /// <param name="idleAgeMax">How long after the client's last command an idle session is probed; without end unless given, as <c>timeout</c> is off by default.</param>
    public RedisProtocol(Instant now, uint seed, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"keepalive:{seed:x8}{seed * 2654435761:x16}"); // Knuth's hash: two flows, two texts
        string bulk = string.Create(CultureInfo.InvariantCulture, $"${text.Length}\r\n{text}\r\n");
        (_ping, _pong, _subscribersPong) = (Encoding.ASCII.GetBytes($"*2\r\n$4\r\nPING\r\n{bulk}"), Encoding.ASCII.GetBytes(bulk), Encoding.ASCII.GetBytes($"*2\r\n$4\r\npong\r\n{bulk}"));
    }

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => (from == Leg.Downstream ? _ofCommand : _ofAnswer) > 0;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        if (from == Leg.Downstream && _ofCommand == 0 && start[0] != '*') return MeasureInline(start);
        if (from == Leg.Downstream && start[0] != (_ofCommand == 0 ? '*' : '$')) return FrameMeasure.Doubtful("not a command of Redis': not understood any more");
        if (from == Leg.Upstream && _ofAnswer == 0 && _ours > 0)
        {
            foreach (byte[] pong in (ReadOnlySpan<byte[]>)[_pong, _subscribersPong])
            {
                if (start.StartsWith(pong)) return FrameMeasure.Whole(pong.Length);
                if (pong.AsSpan().StartsWith(start)) return FrameMeasure.NeedsMore;
            }
        }

        FrameMeasure measure = RedisElement.Read(start, out RedisElement element);
        if (measure.Bytes == 0) return measure;
        if (from == Leg.Downstream && element.Number < 0) return FrameMeasure.Doubtful("not a command of Redis': not understood any more");
        bool isOfInterest = from == Leg.Downstream && element.Kind == '$' && _word < 2 && element.Number <= WordBytesMax;
        return isOfInterest ? FrameMeasure.Whole(measure.Bytes) : measure;
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (from == Leg.Upstream) return OnAnswer(frame, verdicts);
        if (_ofCommand == 0 && frame[0] != '*') OnInline(frame);
        else OnRequest(frame);
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => _commands.WhyNot;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _ours++;
        verdicts.Send(towards, _ping);
        return new ProbeAttempt(ProbeOutcome.Sent, "PING");
    }

    // Words in a line, as typed into telnet.
    private static FrameMeasure MeasureInline(ReadOnlySpan<byte> start)
    {
        if (start[0] == Tls.Handshake) return FrameMeasure.Doubtful(Tls.Why);
        int end = start.IndexOf((byte)'\n');
        if (start[0] is not ((byte)'\r' or (byte)'\n' or (byte)' ') && !char.IsAsciiLetter((char)start[0])) return FrameMeasure.Doubtful("not a command of Redis': not understood any more");
        return end < 0 ? FrameMeasure.NeedsMore : FrameMeasure.Whole(end + 1);
    }

    private void OnInline(ReadOnlySpan<byte> line)
    {
        string[] words = Encoding.Latin1.GetString(line).Split((char[])[' ', '\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < words.Length; i++) _commands.OnWord(i, Encoding.Latin1.GetBytes(words[i]));
        if (words.Length > 0) _commands.OnCommand(); // an empty line is no command
    }

    private void OnRequest(ReadOnlySpan<byte> frame)
    {
        _ = RedisElement.Read(frame, out RedisElement element);
        if (_ofCommand == 0)
        {
            (_ofCommand, _word) = (element.Number, 0); // *0 is no command
            return;
        }

        _commands.OnWord(_word, frame.Length == element.Bytes ? element.Payload(frame) : default);
        _word++;
        if (--_ofCommand == 0) _commands.OnCommand();
    }

    private FrameFate OnAnswer(ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (_ofAnswer == 0 && _ours > 0)
        {
            bool isPong = frame.SequenceEqual(_pong) || frame.SequenceEqual(_subscribersPong);
            // Ours are sent with nothing open, and answered in their turn: the next error is ours. Messages to subscribers have no turn.
            bool isRefusal = frame[0] == '-' && !_commands.IsSubscriber;
            if (isPong || isRefusal)
            {
                _ours--;
                if (isPong) verdicts.Note(FlowEventKind.ProbeAnswered, "PONG", Leg.Upstream, Now - ProbedAt);
                else _commands.OnRefused();
                return FrameFate.Swallow;
            }
        }

        _ = RedisElement.Read(frame, out RedisElement element);
        if (_ofAnswer == 0) (_ofAnswer, _isPush, _isError) = (1, element.Kind == '>', element.Kind is (byte)'-' or (byte)'!');
        _ofAnswer += element.Elements - 1;
        if (_ofAnswer == 0 && !_isPush) _commands.OnAnswered(_isError);
        return FrameFate.Pass;
    }
}
