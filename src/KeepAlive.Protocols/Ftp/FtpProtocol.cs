using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>
/// FTP (RFC 959, 2428) with keepalive in the control connection: between commands, and while a transfer runs.
/// </summary>
/// <remarks>
/// <para>The way of the data:</para>
/// <code>
/// client ── whole command lines ──▶ FtpCommand ──▶ FtpExchange.Add ──▶ server      PORT, EPRT: FtpDataAddresses
///                                                      ▲ ours: FtpProbes
/// client ◀── reply pieces ◀── FtpReplyReader ◀── FtpExchange.Match ◀── server      227, 229: FtpDataAddresses
///                                     ours: swallowed
/// </code>
/// <para>
/// While an answer to ours is owed and no transfer runs, the client's next command is held until it is here;
/// if it stays away for <see cref="HoldMax"/>, a PWD is sent after it, whose 257 nothing else can be mistaken for; if
/// that stays away too, the client's command goes on.
/// </para>
/// </remarks>
internal sealed class FtpProtocol : Protocol
{
    /// <summary>A held command waits this long before the exchange is set straight with PWD.</summary>
    internal static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(2);

    /// <summary>And this long after the PWD before it goes on, whatever is owed.</summary>
    internal static readonly TimeSpan StraightMax = TimeSpan.FromSeconds(10);

    // Longest command line held back until it is whole: RFC 959 sets no limit, paths are 4096 at most on Linux.
    internal const int CommandBytesMax = 5120;

    // Longest 227 or 229 held back for rewriting.
    internal const int AddressReplyBytesMax = 1024;

    /// <summary>The most that is held of a flow, beside what a held client had already sent: a command line, an address reply.</summary>
    internal const int HeldBytesMax = CommandBytesMax + AddressReplyBytesMax;

    // Longest argument of TYPE and REST kept: "L 8", or "0" told from a real offset.
    private const int ArgumentBytesMax = 8;

    private readonly IDataPaths _data;
    private readonly FtpServer _server;
    private readonly FtpProtectedLegs _protected;
    private readonly FtpDataAddresses _addresses;
    private readonly FtpProbes _probes;
    private readonly FtpExchange _exchange = new();
    private readonly FtpReplyReader _reader = new();
    private readonly FtpLineBuffer _fromClient = new();
    private readonly FtpLineBuffer _addressReply = new();
    private int _replyIndex;
    private int _replyCode;
    private bool _replyIsOurs;
    private bool _inLongCommand;
    private bool _clientSpoke;
    private bool _ended;
    private bool _givingWay;
    private Instant _now;
    private Instant _holdUntil = Instant.Never;

    /// <summary>A new control connection; the server's greeting is awaited.</summary>
    /// <param name="options">How to keep it alive.</param>
    /// <param name="server">What is known of the server; updated.</param>
    /// <param name="data">The flow's data connections.</param>
    /// <param name="now">The time.</param>
    /// <param name="seed">Randomness for <see cref="FtpOptions.RandomOrder"/>.</param>
    /// <exception cref="ArgumentException">The options name no command.</exception>
    public FtpProtocol(FtpOptions options, FtpServer server, IDataPaths data, Instant now, uint seed = 1)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(data);
        if (options.Commands.Count == 0) throw new ArgumentException("no keepalive command is named: give one at least", nameof(options));
        (_data, _server, _now, _protected) = (data, server, now, options.Protected);
        _addresses = new FtpDataAddresses(data, options.IsDataDirect);
        _probes = new FtpProbes(options, server, _exchange, data, now, seed);
        _exchange.Add(new FtpPending { Owner = FtpOwner.Client, Verb = FtpVerb.Greeting, SentAt = now });
    }

    /// <inheritdoc/>
    public override bool IsHolding(Leg from) => from == Leg.Downstream && _holdUntil != Instant.Never;

    /// <inheritdoc/>
    public override Instant Deadline => _holdUntil;

    /// <summary>Bytes held back now, of both directions.</summary>
    internal int HeldBytes => _fromClient.Pending.Length + _addressReply.Pending.Length + _reader.Held.Length;

    /// <summary>Commands whose replies are awaited.</summary>
    internal int PendingCount => _exchange.Count;

    /// <summary>Those of ours among them.</summary>
    internal int Owed => _exchange.Owed;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        _now = now;
        if (IsPlain) verdicts.Send(from.Other(), bytes);
        else if (from == Leg.Downstream) ReadClient(bytes, verdicts);
        else ReadServer(bytes, verdicts);
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        _ended = true;
        if (from == Leg.Upstream) FlushServer(verdicts);
        if (!IsPlain) PassCommands(verdicts);
        if (from == Leg.Downstream) FlushClient(verdicts);
    }

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        _now = now;
        if (IsPlain) return Withheld("plain relay");
        if (towards == Leg.Downstream) return Withheld("an FTP server may not speak unasked");
        if (_ended) return Withheld("the session is ending");
        if (_inLongCommand) return Withheld("in the middle of a command line");
        if (_reader.Code != 0 && !_replyIsOurs && !_exchange.TransferRuns) return Withheld("in the middle of a reply");
        if (_exchange.TransferRuns && IsHolding(Leg.Downstream)) return Withheld("a command of the client's waits");
        return _probes.TryProbe(now, verdicts);
    }

    /// <inheritdoc/>
    public override void OnDeadline(Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        _now = now;
        if (now < _holdUntil) return;
        _holdUntil = now + HoldMax;
        if (_exchange is { IsFull: true, Owed: 0 })
        {
            BecomePlain("more unanswered commands than any client sends: not understood any more", verdicts);
            Surrender(verdicts);
            return;
        }

        PassCommands(verdicts);
        if (!IsHolding(Leg.Downstream) || _exchange.TransferRuns || _exchange.Owed == 0) return;
        if (_probes.IsSettingStraight)
        {
            // Neither our commands nor a PWD were answered: the client's own turn, its replies tell which is which.
            _givingWay = true;
            PassCommands(verdicts);
        }
        else if (_exchange.ListingRuns && _data.IsOpen)
        {
            _data.Close();
        }
        else
        {
            _holdUntil = now + StraightMax;
            _probes.SetStraight(now, verdicts);
        }
    }

    private void ReadClient(ReadOnlySpan<byte> bytes, Verdicts verdicts)
    {
        if (!_clientSpoke && bytes.Length > 0)
        {
            _clientSpoke = true;
            if (bytes[0] == Tls.Handshake) BecomePlain(Tls.Why, verdicts);
        }

        _fromClient.Add(bytes);
        if (IsPlain) Surrender(verdicts);
        else PassCommands(verdicts);
    }

    private void PassCommands(Verdicts verdicts)
    {
        bool held = false;
        while (!_fromClient.IsEmpty)
        {
            ReadOnlySpan<byte> pending = _fromClient.Pending;
            int lf = pending.IndexOf((byte)'\n');
            int length = lf < 0 ? pending.Length : lf + 1;
            if (_inLongCommand)
            {
                verdicts.Send(Leg.Upstream, pending[..length]);
                _inLongCommand = lf < 0;
            }
            else
            {
                if (lf < 0 && length < CommandBytesMax) break;
                held = MustHold;
                if (held) break;
                PassCommand(pending[..length], lf >= 0, verdicts);
            }

            _fromClient.Drop(length);
        }

        if (!held) _holdUntil = Instant.Never;
        else if (_holdUntil == Instant.Never) _holdUntil = _now + HoldMax;
    }

    private bool MustHold => !_ended && (_exchange.IsFull || (!_givingWay && _probes.MustHold(_now)));

    private void PassCommand(ReadOnlySpan<byte> line, bool whole, Verdicts verdicts)
    {
        FtpCommand command = FtpCommand.Read(line);
        _inLongCommand = !whole;
        _probes.OnClientCommand(command, _now);
        var pending = new FtpPending { Owner = FtpOwner.Client, Verb = command.Verb, SentAt = _now };
        if (command.Verb is FtpVerb.Type or FtpVerb.Rest && command.Argument.Length <= ArgumentBytesMax) pending.Text = command.Argument.ToArray();
        if (whole && command.Verb is FtpVerb.Port or FtpVerb.Eprt)
        {
            if (_addresses.TryPassCommand(line, command, verdicts)) _exchange.Add(pending);
            else Refuse(pending, "500 Illegal PORT command.\r\n"u8.ToArray(), verdicts);
            return;
        }

        if (whole && FtpProtection.AnswerTo(command, _protected) is { } answer)
        {
            Refuse(pending, answer, verdicts);
            return;
        }

        // Such an ABOR would not be seen in time: the end of the data connection is.
        if (command.Verb == FtpVerb.Abor && _probes.HidesAbort(_now)) _data.Close();
        if (!command.Name.IsEmpty) _exchange.Add(pending);
        if (command.UrgentUpTo > 0) verdicts.SendUrgentUpstream(line[..command.UrgentUpTo]);
        verdicts.Send(Leg.Upstream, line[command.UrgentUpTo..]);
    }

    // Never sent: answered when its turn comes.
    private void Refuse(FtpPending command, byte[] answer, Verdicts verdicts)
    {
        _exchange.Add(command with { Owner = FtpOwner.Refused, Text = answer });
        AnswerRefused(verdicts);
    }

    // Never into the middle of a reply.
    private void AnswerRefused(Verdicts verdicts)
    {
        if (_reader.Code != 0 || !_reader.Held.IsEmpty) return;
        while (_exchange.Count > 0 && _exchange[0].Owner == FtpOwner.Refused)
            verdicts.Send(Leg.Downstream, _exchange.TakeAt(0).Text);
    }

    private void ReadServer(ReadOnlySpan<byte> bytes, Verdicts verdicts)
    {
        while (!IsPlain)
        {
            FtpReplyStep step = _reader.Read(ref bytes, out ReadOnlySpan<byte> piece);
            if (step == FtpReplyStep.NeedMore) return;
            if (step == FtpReplyStep.Doubt)
            {
                BecomePlain("the server's bytes are not an FTP reply: not understood any more", verdicts);
                break;
            }

            if (step == FtpReplyStep.Start) StartReply(verdicts);
            PassReplyPiece(piece, verdicts);
            if (step == FtpReplyStep.End) EndReply(verdicts);
        }

        Surrender(verdicts);
        verdicts.Send(Leg.Downstream, bytes);
    }

    private void StartReply(Verdicts verdicts)
    {
        _replyCode = _reader.Code;
        _replyIndex = _exchange.Match(_replyCode, _data.IsOpen, _server.NoopCode, out FtpPassedOver passedOver);
        _replyIsOurs = _replyIndex >= 0 && _exchange[_replyIndex].Owner == FtpOwner.Ours;
        if (passedOver.Count > 0) _probes.OnPassedOver(passedOver, verdicts);
    }

    private void PassReplyPiece(ReadOnlySpan<byte> piece, Verdicts verdicts)
    {
        if (!ReplyIsAddress)
        {
            if (!_replyIsOurs) verdicts.Send(Leg.Downstream, piece);
            return;
        }

        bool tooLong = _addressReply.Pending.Length + piece.Length > AddressReplyBytesMax;
        if (!tooLong || !_replyIsOurs) _addressReply.Add(piece);
        if (tooLong && !_replyIsOurs)
            BecomePlain($"a {_replyCode} reply of over {AddressReplyBytesMax} bytes: not understood any more", verdicts);
    }

    private bool ReplyIsAddress => _replyIndex >= 0 && (_replyCode == 227 && _exchange[_replyIndex].Verb == FtpVerb.Pasv
        || _replyCode == 229 && _exchange[_replyIndex].Verb == FtpVerb.Epsv);

    private void EndReply(Verdicts verdicts)
    {
        if (IsPlain) return;
        int code = _replyCode;
        if (code == 421) _probes.OnServerLeaves(verdicts);
        if (_replyIndex >= 0) EndReplyTo(_exchange[_replyIndex], code, verdicts);
        _replyIsOurs = false;
        AnswerRefused(verdicts);
        if (!IsPlain) PassCommands(verdicts);
    }

    private void EndReplyTo(FtpPending command, int code, Verdicts verdicts)
    {
        if (code < 200)
        {
            if (command.IsTransfer) _exchange.MarkStarted(_replyIndex);
            if (command is { IsTransfer: true, Owner: FtpOwner.Client }) _probes.OnTransferStarted();
            return;
        }

        bool isAddress = ReplyIsAddress;
        _exchange.TakeAt(_replyIndex);
        if (command.Owner == FtpOwner.Ours)
        {
            _probes.OnAnswered(command, code, _addressReply.Pending, _now, verdicts);
        }
        else
        {
            if (isAddress) code = _addresses.PassReply(code, _addressReply.Pending, verdicts);
            _probes.OnReplied(command, code, _now);
            if (command.Verb == FtpVerb.Auth && code is 234 or 235 or 334)
                BecomePlain("AUTH accepted: encrypted from here, kernel keepalive only", verdicts);
        }

        if (isAddress) _addressReply.Clear();
        if (_exchange.Owed == 0) _givingWay = false;
    }

    // Nothing is held any more, in either direction.
    private void Surrender(Verdicts verdicts)
    {
        FlushServer(verdicts);
        FlushClient(verdicts);
    }

    private void FlushServer(Verdicts verdicts)
    {
        if (!_replyIsOurs)
        {
            verdicts.Send(Leg.Downstream, _addressReply.Pending);
            verdicts.Send(Leg.Downstream, _reader.Held);
        }

        _reader.Forget();
        _addressReply.Clear();
    }

    private void FlushClient(Verdicts verdicts)
    {
        verdicts.Send(Leg.Upstream, _fromClient.Pending);
        _fromClient.Clear();
        _holdUntil = Instant.Never;
    }

    private static ProbeAttempt Withheld(string why) => new(ProbeOutcome.Withheld, why);
}
