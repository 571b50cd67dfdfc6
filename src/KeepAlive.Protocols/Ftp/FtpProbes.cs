using System.Globalization;
using System.Text;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Ftp;

/// <summary>
/// When FTP may be probed, with what, and what the answers tell. No-inject states: before login, between two
/// commands that belong together (a 3xx reply and its next command), between a PASV, EPSV, PORT or EPRT and its
/// transfer, with any command of the client's unanswered but a running transfer, after QUIT.
/// </summary>
internal sealed class FtpProbes
{
    /// <summary>
    /// NOOPs in the air on a server that reads them only after the transfer: 100 of 6 bytes fit any receive
    /// window, and are answered in one go. Past it kernel keepalive alone refreshes the path.
    /// </summary>
    internal const int OwedMax = 100;

    // A server that answers at once has done so by now, on the longest of paths; and no segment waits this long
    // to be read together with the next.
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(2);

    private readonly FtpOptions _options;
    private readonly FtpServer _server;
    private readonly FtpExchange _exchange;
    private readonly IDataPaths _data;
    private byte[] _type = []; // not known until the client sets it: RFC 959's default is not every server's
    private bool _loggedIn;
    private bool _leaving;
    private bool _mustFollow;
    private bool _restPending;
    private bool _dataReady;
    private Instant _lastActivity;
    private Instant _lastBlank;
    private Instant _lastSent;
    private int _sinceCommand;
    private int _next;
    private uint _random;

    public FtpProbes(FtpOptions options, FtpServer server, FtpExchange exchange, IDataPaths data, Instant now, uint seed)
    {
        _options = options;
        _server = server;
        _exchange = exchange;
        _data = data;
        _lastActivity = now;
        _lastBlank = now + -AnswerMax;
        _random = seed | 1;
    }

    /// <summary>A PWD is out after which all earlier answers are accounted for.</summary>
    public bool IsSettingStraight { get; private set; }

    public ProbeAttempt TryProbe(Instant now, Verdicts verdicts)
    {
        if (WhyNot(now) is { } why) return new ProbeAttempt(ProbeOutcome.Withheld, why);
        if (_exchange.TransferRuns) return ProbeTransfer(now, verdicts);
        if (now - _lastActivity > _options.IdleAgeMax) return IdleAge.Past(_options.IdleAgeMax);
        if (_exchange.Owed >= KeepAlivePolicy.CountMax) return new ProbeAttempt(ProbeOutcome.Withheld, "too many answers owed");
        if (_options.RandomOrder) _next = (int)(NextRandom() % (uint)_options.Commands.Count);
        else if (_exchange.Owed > 0) _next = (_next + 1) % _options.Commands.Count; // the answer stays away: perhaps this command is filtered
        return new ProbeAttempt(ProbeOutcome.Sent, Send(_options.Commands[_next], now, verdicts));
    }

    /// <summary>
    /// Whether a command of the client's must wait for our answers: while one is due, the command could be taken
    /// for it, or it for the command's; Pure-FTPd gives one 500 for all lines it reads at once in a transfer.
    /// </summary>
    public bool MustHold(Instant now) => _exchange.Owed > 0
        && (!_exchange.TransferRuns || (MayCollapse && now - _lastSent < AnswerMax));

    /// <summary>Whether an ABOR of now would stand behind a NOOP that the server does not read before the transfer's end.</summary>
    public bool HidesAbort(Instant now) => _exchange is { Owed: > 0, TransferRuns: true }
        && (Kind != FtpServerKind.Immediate || now - _lastSent >= AnswerMax);

    /// <summary>Sends a PWD whose answer cannot be taken for another's.</summary>
    public void SetStraight(Instant now, Verdicts verdicts)
    {
        IsSettingStraight = true;
        string sent = Send(FtpKeepAliveCommand.Pwd, now, verdicts);
        verdicts.Note(FlowEventKind.ProbeSent, $"{sent}, to set the exchange straight: an answer is {Duration.Format(FtpProtocol.HoldMax)} late", Leg.Upstream);
    }

    public void OnClientCommand(FtpCommand command, Instant now)
    {
        _lastActivity = now;
        _sinceCommand = 0;
        if (command.Name.IsEmpty) _lastBlank = now;
        if (command.Verb is FtpVerb.Quit) _leaving = true;
    }

    /// <summary>A final reply to a command of the client's.</summary>
    public void OnReplied(FtpPending command, int code, Instant now)
    {
        _lastActivity = now;
        _mustFollow = code is >= 300 and < 400;
        if (code < 400) _leaving = command.Verb == FtpVerb.Quit; // a server that goes on talking has not left
        switch (command.Verb)
        {
            case FtpVerb.Login when code is 230 or 232:
                _loggedIn = true;
                break;
            case FtpVerb.Rein when code == 220:
                _loggedIn = _dataReady = _restPending = false;
                _type = [];
                break;
            case FtpVerb.Type when code < 300 && command.Text is { Length: > 0 } type:
                _type = type;
                break;
            case FtpVerb.Rest when code == 350:
                _restPending = command.Text is not [(byte)'0'];
                break;
            case FtpVerb.Pasv or FtpVerb.Epsv when code is 227 or 229:
            case FtpVerb.Port or FtpVerb.Eprt when code < 300:
                _dataReady = true;
                break;
            case FtpVerb.Fetch or FtpVerb.Store:
                _dataReady = _restPending = false;
                break;
        }
    }

    /// <summary>A 1xx to a transfer of the client's.</summary>
    public void OnTransferStarted() => _dataReady = _restPending = false;

    /// <summary>An answer to a command of ours, swallowed.</summary>
    public void OnAnswered(FtpPending command, int code, ReadOnlySpan<byte> addressReply, Instant now, Verdicts verdicts)
    {
        verdicts.Note(FlowEventKind.ProbeAnswered, string.Create(CultureInfo.InvariantCulture, $"{code} to {Name(command.Verb)}"), Leg.Upstream, now - command.SentAt);
        if (command.InTransfer) LearnFrom(command, code, now, verdicts);
        if (_exchange.Owed == 0) IsSettingStraight = false;
        if (_exchange is { Owed: 0, ClientWaits: 0 }) ContinueListing(command, code, addressReply, now, verdicts);
    }

    /// <summary>Commands of ours got no answer though a later one did.</summary>
    public void OnPassedOver(FtpPassedOver passedOver, Verdicts verdicts)
    {
        FtpPending first = passedOver.First;
        if (first.InTransfer && _server.KindOf(first.InUpload) == FtpServerKind.Unknown) Learn(first.InUpload, FtpServerKind.Silent, verdicts);
        else verdicts.Note(FlowEventKind.Notice, $"{passedOver.Count} keepalive command(s) were never answered, a later one was: something on the way filters them (--ftp-commands picks others)", Leg.Upstream);
        if (_exchange.Owed == 0) IsSettingStraight = false;
    }

    public void OnServerLeaves(Verdicts verdicts)
    {
        _leaving = true;
        if (_sinceCommand > 0)
            verdicts.Note(FlowEventKind.Notice, $"the server closed the session (421) after {_sinceCommand} keepalive commands of ours and none from the client: it does not count them as use, or punishes them (--hold with --ftp-commands list resets no-transfer timers)", Leg.Upstream);
    }

    private bool MayCollapse => Kind is FtpServerKind.Unknown or FtpServerKind.Error;

    private FtpServerKind Kind => _server.KindOf(_exchange.UploadRuns);

    private string? WhyNot(Instant now)
    {
        if (_leaving) return "the session is ending";
        if (!_loggedIn) return "not logged in yet";
        if (_exchange.ClientWaits > 0) return "a command of the client's is unanswered";
        if (_mustFollow || _restPending) return "between two commands that belong together";
        if (_exchange.ListingRuns) return "a listing of ours runs";
        if (_dataReady) return "a data connection is prepared and its transfer has not begun";

        // Some servers answer a blank line, others do not.
        return _lastBlank + AnswerMax > now ? "a blank line of the client's may be answered" : null;
    }

    private ProbeAttempt ProbeTransfer(Instant now, Verdicts verdicts)
    {
        int owed = _exchange.Owed;
        string? why = Kind switch
        {
            FtpServerKind.Silent => "this server never answers while a transfer runs: kernel keepalive only",
            FtpServerKind.Error when owed > 0 => "one answer is owed already",

            // Still unanswered after that long, the server reads nothing more in this transfer, whatever it did in
            // others (ProFTPD with sendfile): the next ones will be answered one by one after it.
            _ when owed > 0 && now - _lastSent < AnswerMax => "one answer is owed already",
            _ => owed >= OwedMax ? $"{OwedMax} answers are owed already: kernel keepalive only" : null,
        };
        return why is not null
            ? new ProbeAttempt(ProbeOutcome.Withheld, why)
            : new ProbeAttempt(ProbeOutcome.Refreshed, Send(FtpKeepAliveCommand.Noop, now, verdicts));
    }

    private string Send(FtpKeepAliveCommand command, Instant now, Verdicts verdicts)
    {
        if (command == FtpKeepAliveCommand.Type && _type.Length == 0) command = FtpKeepAliveCommand.Pwd;
        if (command == FtpKeepAliveCommand.List && _data.IsOpen) command = FtpKeepAliveCommand.Noop; // the client drains it after the 226
        (FtpVerb verb, byte[] line) = command switch
        {
            FtpKeepAliveCommand.Noop => (FtpVerb.Noop, "NOOP\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Pwd => (FtpVerb.Pwd, "PWD\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Type => (FtpVerb.Type, [.. "TYPE "u8, .. _type, .. "\r\n"u8]),
            FtpKeepAliveCommand.Stat => (FtpVerb.Stat, "STAT\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Rest => (FtpVerb.Rest, "REST 0\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Cwd => (FtpVerb.Cwd, "CWD .\r\n"u8.ToArray()),
            _ => (FtpVerb.Epsv, "EPSV\r\n"u8.ToArray()),
        };
        SendLine(verb, line, now, verdicts);
        return command == FtpKeepAliveCommand.List ? "NLST over EPSV" : Encoding.ASCII.GetString(line).TrimEnd();
    }

    private void SendLine(FtpVerb verb, ReadOnlySpan<byte> line, Instant now, Verdicts verdicts)
    {
        _exchange.Add(new FtpPending { Owner = FtpOwner.Ours, Verb = verb, InTransfer = _exchange.TransferRuns, InUpload = _exchange.UploadRuns, SentAt = now });
        _sinceCommand++;
        _lastSent = now;
        verdicts.Send(Leg.Upstream, line);
    }

    // A listing of our own: EPSV (PASV where that is unknown), then NLST, read to its end and dropped.
    private void ContinueListing(FtpPending command, int code, ReadOnlySpan<byte> addressReply, Instant now, Verdicts verdicts)
    {
        if (command.Verb == FtpVerb.Epsv && code >= 400)
        {
            SendLine(FtpVerb.Pasv, "PASV\r\n"u8, now, verdicts);
            return;
        }

        if (command.Verb is not (FtpVerb.Epsv or FtpVerb.Pasv) || addressReply.Length < 4) return;
        if (!FtpDataAddresses.TryFindPort(code, addressReply[4..], out _, out int port) || port < FtpAddress.PortMin) return;
        _data.Drain(port);
        SendLine(FtpVerb.Fetch, "NLST\r\n"u8, now, verdicts);
    }

    private void LearnFrom(FtpPending command, int code, Instant now, Verdicts verdicts)
    {
        if (_exchange.TransferRuns)
        {
            _server.NoopCode = code;
            Learn(command.InUpload, code < 400 ? FtpServerKind.Immediate : FtpServerKind.Error, verdicts);
        }
        else if (now - command.SentAt >= AnswerMax)
        {
            Learn(command.InUpload, FtpServerKind.Deferred, verdicts); // sooner, it may have crossed the transfer's end on the way
        }
    }

    private void Learn(bool upload, FtpServerKind kind, Verdicts verdicts)
    {
        if (_server.KindOf(upload) == kind) return;
        _server.Learn(upload, kind);
        string when = upload ? "while an upload runs" : "while a download runs";
        verdicts.Note(FlowEventKind.ServerKind, kind switch
        {
            FtpServerKind.Immediate => $"immediate: answers NOOP {when}",
            FtpServerKind.Error => $"error: rejects NOOP {when}, harmlessly",
            FtpServerKind.Deferred => $"deferred: leaves NOOP unanswered {when}, until its end",
            _ => $"silent: never answers NOOP sent {when}; kernel keepalive only from now on",
        }, Leg.Upstream);
    }

    private static string Name(FtpVerb verb) => verb switch { FtpVerb.Fetch => "NLST", FtpVerb.Rest => "REST 0", _ => verb.ToString().ToUpperInvariant() };

    // xorshift32 (Marsaglia, 2003): to differ from the last command, not to be unguessable.
    private uint NextRandom()
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        return _random ^= _random << 5;
    }
}
