using System.Buffers.Binary;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.MySql;

/// <summary>MySQL's and MariaDB's protocol with a COM_PING of ours between two statements.</summary>
/// <remarks>
/// <para>
/// Commands are answered in order, each counting its packets anew: a COM_PING that goes with nothing open gets the next answer. None
/// goes during login, in a transaction (the server's idle limits for those are its administrator's), or within a minute of a
/// statement that changed rows or warned: the ping may change what ROW_COUNT() and SHOW WARNINGS tell.
/// </para>
/// </remarks>
internal sealed class MySqlProtocol : FramedProtocol
{
    /// <summary>The server's <c>wait_timeout</c> by default.</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromHours(8);

    private static readonly TimeSpan AfterChange = TimeSpan.FromMinutes(1);
    private static readonly byte[] Ping = [1, 0, 0, 0, 0x0E];

    private const int OpenMax = 100;
    private const int EnoughBytes = 64;
    private const int AnswerBytesMax = 600; // an error's text has 512
    private const uint Compress = 0x20;
    private const uint Ssl = 0x800;
    private const uint OptionalMetadata = 0x0200_0000;
    private const uint DeprecateEof = 0x0100_0000;
    private const uint CompressZstd = 0x0400_0000;

    private readonly Queue<MySqlShape> _open = new();
    private Phase _phase = Phase.Greeting;
    private MySqlAnswer _answer;
    private MySqlStatus _status;
    private Instant? _changedAt;
    private uint _capabilities;
    private int _ours;
    private bool _isAnswering;
    private bool _isSendingFile;
    private bool _isEnding;
    private bool _isClientsRest;
    private bool _isServersRest;

    private enum Phase : byte
    {
        Greeting,
        Login,
        Commands,
    }

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="idleAgeMax">How long after the client's last command an idle session is probed; <see cref="IdleAgeDefault"/> unless given.</param>
    public MySqlProtocol(Instant now, TimeSpan? idleAgeMax = null)
        : base(now, idleAgeMax ?? IdleAgeDefault)
    {
    }

    /// <inheritdoc/>
    protected override bool IsInMessage(Leg from) => from == Leg.Downstream ? _isClientsRest || _isSendingFile : _isServersRest || _isAnswering;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start)
    {
        if (_phase == Phase.Greeting && from == Leg.Downstream) return FrameMeasure.Doubtful(start[0] == Tls.Handshake ? Tls.Why : "the client speaks before the server: not understood");
        if (start.Length < MySqlPacket.HeadBytes) return FrameMeasure.NeedsMore;
        int length = new MySqlPacket(start).Length, all = length + MySqlPacket.HeadBytes;
        if (all <= EnoughBytes || (_phase != Phase.Commands && all <= HeldBytesMax)) return FrameMeasure.Whole(all);
        return start.Length < EnoughBytes ? FrameMeasure.NeedsMore : FrameMeasure.Of(all);
    }

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        var packet = new MySqlPacket(frame);
        ref bool isRest = ref from == Leg.Downstream ? ref _isClientsRest : ref _isServersRest;
        bool wasRest = isRest;
        isRest = packet.Length == MySqlPacket.LengthMax; // what is longer goes on in the next
        if (wasRest) return FrameFate.Pass;
        if (_phase == Phase.Greeting) OnGreeting(packet, verdicts);
        else if (_phase == Phase.Login) OnLogin(from, packet, verdicts);
        else if (from == Leg.Downstream) OnClient(packet, verdicts);
        else return OnServer(packet, verdicts);
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) =>
        _phase != Phase.Commands ? "before login"
        : _isEnding ? "the session is ending"
        : _open.Count > 0 ? "a command is unanswered"
        : _status.IsInTransaction ? "in a transaction"
        : _changedAt is { } changed && Now - changed < AfterChange ? "ROW_COUNT() and warnings of a statement may be asked for: not for a minute"
        : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        _ours++;
        verdicts.Send(towards, Ping);
        return new ProbeAttempt(ProbeOutcome.Sent, "COM_PING");
    }

    private void OnGreeting(MySqlPacket packet, Verdicts verdicts)
    {
        // 10, version and NUL, 4 thread, 8 salt and NUL, 2 capabilities, 1, 2, 2 capabilities, the higher ones
        _phase = Phase.Login;
        int at = packet.Payload.IndexOf((byte)0) + 14;
        if (packet.Kind == MySqlPacket.Error) _isEnding = true;
        else if (packet.Kind != 10 || at < 14 || packet.Payload.Length < at + 7) Surrender("not MySQL: not understood", verdicts);
        else _capabilities = BinaryPrimitives.ReadUInt16LittleEndian(packet.Payload[at..]) | ((uint)BinaryPrimitives.ReadUInt16LittleEndian(packet.Payload[(at + 5)..]) << 16);
    }

    private void OnLogin(Leg from, MySqlPacket packet, Verdicts verdicts)
    {
        const int SslRequestBytes = 32;
        if (from == Leg.Downstream)
        {
            if (packet.Sequence != 1) return; // more of the login's
            if (packet.Length < SslRequestBytes)
            {
                Surrender("a login before MySQL 4.1: not understood", verdicts);
                return;
            }

            _capabilities &= BinaryPrimitives.ReadUInt32LittleEndian(packet.Payload);
            if ((_capabilities & Ssl) != 0 && packet.Length == SslRequestBytes) Surrender("TLS: encrypted from here, kernel keepalive only", verdicts);
            else if ((_capabilities & OptionalMetadata) != 0) Surrender("results without metadata: not understood", verdicts);
        }
        else if (packet.Kind == MySqlPacket.Error)
        {
            _isEnding = true;
        }
        else if (packet.Kind == MySqlPacket.Ok && packet.Length > 0)
        {
            _phase = Phase.Commands;
            _status = packet.Status(isEof: false) ?? default;
            if ((_capabilities & (Compress | CompressZstd)) != 0) Surrender("compressed from here, kernel keepalive only", verdicts);
        }
    }

    private void OnClient(MySqlPacket packet, Verdicts verdicts)
    {
        if (_isSendingFile)
        {
            _isSendingFile = packet.Length > 0;
            return;
        }

        if (packet.Sequence != 0 && _open.TryPeek(out MySqlShape open) && open == MySqlShape.Login) return;
        MySqlShape? shape = packet.Sequence == 0 && packet.Length > 0 && _open.Count < OpenMax ? ShapeOf(packet.Kind) : null;
        if (shape is null) Surrender("a command that is not known, or one of too many: not understood any more", verdicts);
        else if (shape != MySqlShape.None) _open.Enqueue(shape.Value);
        _isEnding |= packet.Kind == 1;
    }

    private FrameFate OnServer(MySqlPacket packet, Verdicts verdicts)
    {
        if (packet.Sequence == 0 && packet.Kind == MySqlPacket.Error && !_isAnswering)
        {
            _isEnding = true; // nobody asked: it says why it leaves
            return FrameFate.Pass;
        }

        if (_ours > 0 && packet is { Sequence: 1, Kind: MySqlPacket.Ok or MySqlPacket.Error, Length: > 0 and <= AnswerBytesMax })
        {
            bool isLast = --_ours == 0;
            verdicts.Note(FlowEventKind.ProbeAnswered, "OK", Leg.Upstream, isLast ? Now - ProbedAt : null);
            return FrameFate.Swallow;
        }

        if (_ours > 0 || !_open.TryPeek(out MySqlShape shape))
        {
            Surrender("an answer to nothing: not understood any more", verdicts);
            return FrameFate.Pass;
        }

        if (!_isAnswering) _answer = new MySqlAnswer(shape, (_capabilities & DeprecateEof) != 0);
        bool isSound = _answer.Take(packet);
        _isSendingFile = _answer.WantsFile;
        _isAnswering = !_answer.IsOver;
        if (!isSound) Surrender("an answer that is none: not understood any more", verdicts);
        else if (_answer.IsOver) OnAnswered();
        return FrameFate.Pass;
    }

    private void OnAnswered()
    {
        _open.Dequeue();
        if (_answer.Status is not { } status) return;
        _status = status;
        _changedAt = status is { Rows: > 0 } or { Warnings: > 0 } ? Now : null; // both are about the last statement
    }

    private static MySqlShape? ShapeOf(byte command) => command switch
    {
        0x01 or 0x18 or 0x19 => MySqlShape.None, // QUIT, STMT_SEND_LONG_DATA, STMT_CLOSE
        0x02 or 0x05 or 0x06 or 0x07 or 0x08 or 0x0C or 0x0D or 0x0E or 0x1A or 0x1B or 0x1F => MySqlShape.One, // INIT_DB ... PING, STMT_RESET, SET_OPTION, RESET_CONNECTION
        0x03 or 0x0A or 0x17 or 0xFA => MySqlShape.Result, // QUERY, PROCESS_INFO, STMT_EXECUTE, MariaDB's of many
        0x04 or 0x1C => MySqlShape.Rows, // FIELD_LIST, STMT_FETCH
        0x09 => MySqlShape.Any, // STATISTICS
        0x11 => MySqlShape.Login, // CHANGE_USER
        0x16 => MySqlShape.Prepared,
        _ => null, // replication among them, which keeps itself alive
    };
}
