using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.PostgreSql;

/// <summary>PostgreSQL (protocol 3) with a Sync between the client's queries, outside of transactions.</summary>
/// <remarks>
/// <para>
/// <c>Sync</c> is answered with <c>ReadyForQuery</c>, runs no statement and leaves <c>pg_stat_activity.query</c> as it was. Answers come in
/// the order of the questions, and ours is asked only when none of the client's is open: the next ReadyForQuery is ours, whatever the client
/// asks meanwhile. Notices, parameter changes and notifications before it go on.
/// </para>
/// <para>
/// Nothing is sent before the first ReadyForQuery, in a transaction (it would outwit idle_in_transaction_session_timeout), with a query
/// open or half of a pipeline (a Sync would commit that half), in COPY (which ignores it, and never answers), or for replication.
/// </para>
/// </remarks>
internal sealed class PostgreSqlProtocol : FramedProtocol
{
    private const byte Idle = (byte)'I';

    private Phase _phase = Phase.Begins;
    private int _open;
    private byte _status;
    private bool _isUnsynced;
    private int _ours;
    private bool _isOrdinary;

    private enum Phase : byte
    {
        /// <summary>The client's first message is to come: it has no kind.</summary>
        Begins,

        /// <summary>The server answers with one byte whether it will encrypt.</summary>
        AsksToEncrypt,

        /// <summary>Messages with kinds, both ways.</summary>
        Runs,

        /// <summary>Nothing more comes that matters.</summary>
        Over,
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last message an idle session is probed; without end unless given, as idle_session_timeout is off by default.</param>
    public PostgreSqlProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax)
    {
    }

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start) => (_phase, from) switch
    {
        (Phase.Begins, Leg.Downstream) => PostgreSqlMessage.MeasureFirst(start),
        (Phase.Begins, _) => FrameMeasure.Doubtful("the server speaks first: not PostgreSQL's protocol"),
        (Phase.AsksToEncrypt, Leg.Upstream) => FrameMeasure.Of(1),
        (Phase.AsksToEncrypt, _) => FrameMeasure.Doubtful("the client does not wait to be told whether it may encrypt: not understood any more"),
        _ => PostgreSqlMessage.Measure(start),
    };

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (from == Leg.Upstream) return _phase == Phase.AsksToEncrypt ? OnEncryption(frame[0], verdicts) : OnAnswer(frame, verdicts);
        if (_phase == Phase.Begins) OnFirst(frame, verdicts);
        else if (_phase == Phase.Runs) OnRequest((char)frame[0], verdicts);
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) =>
        _phase == Phase.Over ? "the session is ending"
        : _phase != Phase.Runs || _status == 0 ? "the session has not begun yet"
        : !_isOrdinary ? "a replication session, or a startup too long to tell"
        : _open > 0 || _isUnsynced ? "a query is open"
        : _status != Idle ? "in a transaction"
        : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _ours++;
        verdicts.Send(towards, PostgreSqlMessage.Sync);
        return new ProbeAttempt(ProbeOutcome.Sent, "Sync");
    }

    private void OnFirst(ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        int code = PostgreSqlMessage.Code(frame);
        if (code is PostgreSqlMessage.SslRequest or PostgreSqlMessage.GssRequest)
        {
            _phase = Phase.AsksToEncrypt;
            return;
        }

        _phase = code == PostgreSqlMessage.CancelRequest ? Phase.Over : Phase.Runs;
        _isOrdinary = PostgreSqlMessage.IsOrdinary(frame);
        _open = 1; // answered with ReadyForQuery once it is let in
        if (code >> 16 != PostgreSqlMessage.Version3 >> 16 && _phase == Phase.Runs)
            Surrender("not version 3 of PostgreSQL's protocol: not understood any more", verdicts);
    }

    private FrameFate OnEncryption(byte answer, Verdicts verdicts)
    {
        _phase = Phase.Begins;
        if (answer != 'N') Surrender(answer is (byte)'S' or (byte)'G' ? "encrypted from here, kernel keepalive only" : "not understood whether it is encrypted", verdicts);
        return FrameFate.Pass;
    }

    private void OnRequest(char kind, Verdicts verdicts)
    {
        switch (kind)
        {
            case 'Q' or 'S' or 'F': // Query, Sync, FunctionCall
                _open++;
                _isUnsynced = false;
                break;
            case 'X':
                _phase = Phase.Over;
                break;
            case 'd' or 'c' or 'f' or 'p': // of a COPY, or of the login: what they belong to is open already
                break;
            case 'P' or 'B' or 'D' or 'E' or 'C' or 'H':
                _isUnsynced = true;
                break;
            default:
                Surrender("a message of unknown kind: not understood any more", verdicts);
                break;
        }
    }

    private FrameFate OnAnswer(ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        if (frame[0] != PostgreSqlMessage.ReadyForQuery) return FrameFate.Pass;
        if (_ours > 0)
        {
            _ours--;
            verdicts.Note(FlowEventKind.ProbeAnswered, "ReadyForQuery", Leg.Upstream, Now - ProbedAt);
            return FrameFate.Swallow;
        }

        if (_open > 0) _open--;
        _status = frame[^1];
        return FrameFate.Pass;
    }
}
