using System.Globalization;
using System.Net;
using System.Text;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>
/// FTP (RFC 959, 2428) with keepalive in the control connection: between commands, and while a transfer runs.
/// </summary>
/// <remarks>
/// <para>The way of the data:</para>
/// <code>
/// client ── whole command lines ──▶ FtpCommand ──▶ FtpExchange.Add ──▶ server      PORT, EPRT: address rewritten
///                                                      ▲ ours: NOOP …
/// client ◀── reply pieces ◀── FtpReplyReader ◀── FtpExchange.Match ◀── server      227, 229: address rewritten
///                                     ours: swallowed
/// </code>
/// <para>
/// While an answer to ours is owed and no transfer runs, the client's next command is held until it is here;
/// if it stays away for <see cref="HoldMax"/>, a PWD is sent after it, whose 257 nothing else can be mistaken for.
/// </para>
/// </remarks>
public sealed class FtpProtocol : Protocol
{
    /// <summary>A held command waits this long before the exchange is set straight with PWD.</summary>
    internal static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(2);

    // Longest command line held back until it is whole: RFC 959 sets no limit, paths are 4096 at most on Linux.
    internal const int CommandBytesMax = 5120;

    // Longest 227 or 229 held back for rewriting.
    internal const int AddressReplyBytesMax = 1024;

    /// <summary>The most that is held of a flow: a command line, what a held client may still have sent, an address reply.</summary>
    internal const int HeldBytesMax = CommandBytesMax + AddressReplyBytesMax;

    private readonly IDataPaths _data;
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
    private Instant _holdingSince = Instant.Never;

    /// <summary>A new control connection; the server's greeting is awaited.</summary>
    /// <param name="options">How to keep it alive.</param>
    /// <param name="server">What is known of the server; updated.</param>
    /// <param name="data">The flow's data connections.</param>
    /// <param name="now">The time.</param>
    /// <param name="seed">Randomness for <see cref="FtpOptions.RandomOrder"/>.</param>
    public FtpProtocol(FtpOptions options, FtpServer server, IDataPaths data, Instant now, uint seed = 1)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(data);
        _data = data;
        _probes = new FtpProbes(options, server, _exchange, data, now, seed);
        _exchange.Add(new FtpPending { Owner = FtpOwner.Client, Verb = FtpVerb.Greeting, SentAt = now });
    }

    /// <summary>Bytes held back now, of both directions.</summary>
    internal int HeldBytes => _fromClient.Pending.Length + _addressReply.Pending.Length + _reader.Held.Length;

    /// <inheritdoc/>
    public override bool IsHolding(Leg from) => from == Leg.Downstream && _holdingSince != Instant.Never;

    /// <inheritdoc/>
    public override Instant Deadline =>
        _holdingSince == Instant.Never || _probes.IsSettingStraight ? Instant.Never : _holdingSince + HoldMax;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        if (IsPlain) verdicts.Send(Other(from), bytes);
        else if (from == Leg.Downstream) ReadClient(bytes, now, verdicts);
        else ReadServer(bytes, now, verdicts);
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        if (from == Leg.Upstream) FlushServer(verdicts);
        else FlushClient(verdicts);
    }

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        if (IsPlain) return Withheld("plain relay");
        if (towards == Leg.Downstream) return Withheld("an FTP server may not speak unasked");
        if (_inLongCommand) return Withheld("in the middle of a command line");
        if (_reader.Code != 0 && !_replyIsOurs && !_exchange.TransferRuns) return Withheld("in the middle of a reply");
        return _probes.TryProbe(now, verdicts);
    }

    /// <inheritdoc/>
    public override void OnDeadline(Instant now, Verdicts verdicts)
    {
        if (now >= Deadline) _probes.SetStraight(now, verdicts);
    }

    private void ReadClient(ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        const byte TlsHandshake = 0x16;
        if (!_clientSpoke && bytes.Length > 0)
        {
            _clientSpoke = true;
            if (bytes[0] == TlsHandshake) BecomePlain("TLS from the first byte: encrypted, kernel keepalive only", verdicts);
        }

        _fromClient.Add(bytes);
        if (IsPlain) Surrender(verdicts);
        else PassCommands(now, verdicts);
    }

    private void PassCommands(Instant now, Verdicts verdicts)
    {
        bool held = false;
        while (!IsPlain && !held && !_fromClient.IsEmpty)
        {
            ReadOnlySpan<byte> pending = _fromClient.Pending;
            int lf = pending.IndexOf((byte)'\n');
            if (_inLongCommand)
            {
                int part = lf < 0 ? pending.Length : lf + 1;
                verdicts.Send(Leg.Upstream, pending[..part]);
                _inLongCommand = lf < 0;
                _fromClient.Drop(part);
                continue;
            }

            if (lf < 0 && pending.Length < CommandBytesMax) break;
            held = MustHold;
            if (held) break;
            if (_exchange.IsFull)
            {
                BecomePlain("more unanswered commands than any client sends: not understood any more", verdicts);
                break;
            }

            int length = lf < 0 ? pending.Length : lf + 1;
            PassCommand(pending[..length], lf >= 0, now, verdicts);
            _fromClient.Drop(length);
        }

        if (!held) _holdingSince = Instant.Never;
        else if (_holdingSince == Instant.Never) _holdingSince = now;
        if (IsPlain) Surrender(verdicts);
    }

    // Our answer is due now: a command let past it could be taken for it, or it for the command's.
    private bool MustHold => _exchange.CountOf(FtpOwner.Ours) > 0 && !_exchange.TransferRuns;

    private void PassCommand(ReadOnlySpan<byte> line, bool whole, Instant now, Verdicts verdicts)
    {
        FtpCommand command = FtpCommand.Read(line);
        _inLongCommand = !whole;
        _probes.OnClientCommand(command, now);
        var pending = new FtpPending { Owner = FtpOwner.Client, Verb = command.Verb, SentAt = now };
        if (command.Verb == FtpVerb.Type) pending.Text = command.Argument.ToArray();
        if (whole && command.Verb is FtpVerb.Port or FtpVerb.Eprt)
        {
            PassDataAddress(line, command, pending, verdicts);
            return;
        }

        // An ABOR behind a NOOP that the server has not read would not be seen: ending the data connection is.
        if (command.Verb == FtpVerb.Abor && _exchange.CountOf(FtpOwner.Ours) > 0) _data.Close();
        if (!command.Name.IsEmpty) _exchange.Add(pending);
        if (command.UrgentUpTo > 0) verdicts.SendUrgentUpstream(line[..command.UrgentUpTo]);
        verdicts.Send(Leg.Upstream, line[command.UrgentUpTo..]);
    }

    private void PassDataAddress(ReadOnlySpan<byte> line, FtpCommand command, FtpPending pending, Verdicts verdicts)
    {
        bool understood = command.Verb == FtpVerb.Port
            ? FtpAddress.TryFindSix(command.Argument, out _, out IPEndPoint asked)
            : FtpAddress.TryReadExtended(command.Argument, out asked);
        if (!understood)
        {
            _exchange.Add(pending); // the server will say what is wrong with it
            verdicts.Send(Leg.Upstream, line);
            return;
        }

        IPEndPoint? ours = asked.Port < FtpAddress.PortMin || !_data.IsPeer(Leg.Downstream, asked.Address)
            ? null : _data.Open(Leg.Upstream, asked.Port);
        if (ours is null)
        {
            verdicts.Note(FlowEventKind.Notice, $"refused {Encoding.ASCII.GetString(command.Name)} to {asked}: data goes to the client's own address, port {FtpAddress.PortMin} or above, only", Leg.Downstream);
            Refuse("500 Illegal PORT command.\r\n"u8, pending, verdicts);
            return;
        }

        _exchange.Add(pending);
        bool asPort = command.Verb == FtpVerb.Port && FtpAddress.IsIPv4(ours.Address);
        string rewritten = asPort ? $"PORT {FtpAddress.Six(ours)}\r\n" : $"EPRT {FtpAddress.Extended(ours)}\r\n";
        verdicts.Send(Leg.Upstream, Encoding.ASCII.GetBytes(rewritten));
    }

    private void Refuse(ReadOnlySpan<byte> reply, FtpPending pending, Verdicts verdicts)
    {
        _exchange.Add(pending with { Owner = FtpOwner.Refused, Text = reply.ToArray() });
        AnswerRefused(verdicts);
    }

    private void AnswerRefused(Verdicts verdicts)
    {
        while (_exchange.Count > 0 && _exchange[0].Owner == FtpOwner.Refused)
            verdicts.Send(Leg.Downstream, _exchange.TakeAt(0).Text);
    }

    private void ReadServer(ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        while (true)
        {
            FtpReplyStep step = _reader.Read(ref bytes, out ReadOnlySpan<byte> piece);
            if (step == FtpReplyStep.NeedMore) return;
            if (step == FtpReplyStep.Doubt)
            {
                BecomePlain("the server's bytes are not an FTP reply: not understood any more", verdicts);
            }
            else if (step == FtpReplyStep.Start)
            {
                StartReply(_reader.Code, verdicts);
            }

            if (!IsPlain)
            {
                int code = _replyCode;
                PassReplyPiece(piece, step == FtpReplyStep.End, verdicts);
                if (step == FtpReplyStep.End) EndReply(code, now, verdicts);
            }

            if (!IsPlain) continue;
            Surrender(verdicts);
            verdicts.Send(Leg.Downstream, bytes);
            return;
        }
    }

    private void StartReply(int code, Verdicts verdicts)
    {
        _replyCode = code;
        _replyIndex = _exchange.Match(code, _data.IsOpen, out FtpPending? passedOver);
        _replyIsOurs = _replyIndex >= 0 && _exchange[_replyIndex].Owner == FtpOwner.Ours;
        if (passedOver is { } command) _probes.OnPassedOver(command, verdicts);
    }

    private void PassReplyPiece(ReadOnlySpan<byte> piece, bool ends, Verdicts verdicts)
    {
        bool isAddress = _replyIndex >= 0 && (_replyCode == 227 && _exchange[_replyIndex].Verb == FtpVerb.Pasv
            || _replyCode == 229 && _exchange[_replyIndex].Verb == FtpVerb.Epsv);
        if (isAddress)
        {
            _addressReply.Add(piece);
            if (_addressReply.Pending.Length > AddressReplyBytesMax)
                BecomePlain($"a {_replyCode} reply of over {AddressReplyBytesMax} bytes: not understood any more", verdicts);
            else if (ends && !_replyIsOurs)
                PassAddressReply(verdicts);
            return;
        }

        if (!_replyIsOurs) verdicts.Send(Leg.Downstream, piece);
    }

    private void PassAddressReply(Verdicts verdicts)
    {
        ReadOnlySpan<byte> line = _addressReply.Pending;
        int port = 0;
        bool found;
        Range where;
        if (_replyCode == 227)
        {
            found = FtpAddress.TryFindSix(line[4..], out where, out IPEndPoint offered);
            if (found) port = offered.Port;
        }
        else
        {
            found = FtpAddress.TryFindExtendedPort(line[4..], out where, out port);
        }

        if (!found)
        {
            verdicts.Send(Leg.Downstream, line);
        }
        else if ((port < FtpAddress.PortMin ? null : _data.Open(Leg.Downstream, port)) is { } ours)
        {
            string address = _replyCode == 227 ? FtpAddress.Six(ours) : ours.Port.ToString(CultureInfo.InvariantCulture);
            verdicts.Send(Leg.Downstream, line[..4]);
            verdicts.Send(Leg.Downstream, line[4..][..where.Start.Value]);
            verdicts.Send(Leg.Downstream, Encoding.ASCII.GetBytes(address));
            verdicts.Send(Leg.Downstream, line[4..][where.End.Value..]);
        }
        else
        {
            verdicts.Note(FlowEventKind.Notice, $"no data connection: the server offers port {port}, and ports below {FtpAddress.PortMin} are refused, or none was free here");
            verdicts.Send(Leg.Downstream, "425 Can't open data connection.\r\n"u8);
        }

        _addressReply.Clear();
    }

    private void EndReply(int code, Instant now, Verdicts verdicts)
    {
        int index = _replyIndex;
        _replyIndex = FtpExchange.Unsolicited;
        if (code == 421) _probes.OnServerLeaves(verdicts);
        if (index < 0) return;
        if (code < 200)
        {
            if (_exchange[index].IsTransfer) _exchange.MarkStarted(index);
            _probes.OnPreliminary(_exchange[index]);
            return;
        }

        FtpPending answered = _exchange.TakeAt(index);
        if (answered.Owner == FtpOwner.Ours)
        {
            _probes.OnAnswered(answered, code, _addressReply.Pending, now, verdicts);
            _addressReply.Clear();
        }
        else
        {
            _probes.OnReplied(answered, code);
            if (answered.Verb == FtpVerb.Auth && code is 234 or 235)
                BecomePlain("AUTH accepted: encrypted from here, kernel keepalive only", verdicts);
        }

        AnswerRefused(verdicts);
        if (!IsPlain) PassCommands(now, verdicts);
    }

    // Nothing is held any more, in either direction.
    private void Surrender(Verdicts verdicts)
    {
        FlushServer(verdicts);
        FlushClient(verdicts);
        _holdingSince = Instant.Never;
    }

    private void FlushServer(Verdicts verdicts)
    {
        if (!_replyIsOurs || _reader.Code == 0)
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
    }

    private static Leg Other(Leg leg) => leg == Leg.Downstream ? Leg.Upstream : Leg.Downstream;

    private static ProbeAttempt Withheld(string why) => new(ProbeOutcome.Withheld, why);
}
