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

    private const int TypeBytesMax = 8;

    private readonly FtpOptions _options;
    private readonly FtpServer _server;
    private readonly FtpExchange _exchange;
    private readonly IDataPaths _data;
    private byte[] _type = "A"u8.ToArray(); // RFC 959 5.1: the default type is ASCII
    private bool _loggedIn;
    private bool _leaving;
    private bool _mustFollow;
    private bool _dataReady;
    private Instant _lastCommand;
    private int _sinceCommand;
    private int _next;
    private uint _random;

    public FtpProbes(FtpOptions options, FtpServer server, FtpExchange exchange, IDataPaths data, Instant now, uint seed)
    {
        _options = options;
        _server = server;
        _exchange = exchange;
        _data = data;
        _lastCommand = now;
        _random = seed | 1;
    }

    /// <summary>A PWD is out after which all earlier answers are accounted for.</summary>
    public bool IsSettingStraight { get; private set; }

    public ProbeAttempt TryProbe(Instant now, Verdicts verdicts)
    {
        if (WhyNot() is { } why) return new ProbeAttempt(ProbeOutcome.Withheld, why);
        int owed = _exchange.CountOf(FtpOwner.Ours);
        if (_exchange.TransferRuns) return ProbeTransfer(owed, now, verdicts);
        if (now - _lastCommand > _options.IdleAgeMax)
        {
            return new ProbeAttempt(ProbeOutcome.Withheld,
                $"no command from the client for {Duration.Format(_options.IdleAgeMax)}: the server's own idle policy rules (--hold to override)");
        }

        if (owed >= KeepAlivePolicy.CountMax) return new ProbeAttempt(ProbeOutcome.Withheld, "too many answers owed");
        if (_options.RandomOrder) _next = (int)(NextRandom() % (uint)_options.Commands.Count);
        else if (owed > 0) _next++; // the answer stays away: perhaps this command is filtered on the way
        return new ProbeAttempt(ProbeOutcome.Sent, Send(_options.Commands[_next % _options.Commands.Count], now, verdicts));
    }

    /// <summary>Sends a PWD whose answer cannot be taken for another's.</summary>
    public void SetStraight(Instant now, Verdicts verdicts)
    {
        IsSettingStraight = true;
        string sent = Send(FtpKeepAliveCommand.Pwd, now, verdicts);
        verdicts.Note(FlowEventKind.ProbeSent, $"{sent}, to set the exchange straight: an answer is {Duration.Format(FtpProtocol.HoldMax)} late", Leg.Upstream);
    }

    public void OnClientCommand(FtpCommand command, Instant now)
    {
        _lastCommand = now;
        _sinceCommand = 0;
        if (command.Verb is FtpVerb.Quit) _leaving = true;
    }

    /// <summary>A final reply to a command of the client's.</summary>
    public void OnReplied(FtpPending command, int code)
    {
        _mustFollow = code is >= 300 and < 400;
        switch (command.Verb)
        {
            case FtpVerb.Login when code is 230 or 232:
                _loggedIn = true;
                break;
            case FtpVerb.Rein when code == 220:
                _loggedIn = false;
                break;
            case FtpVerb.Type when code == 200 && command.Text is { Length: > 0 and <= TypeBytesMax } type:
                _type = type;
                break;
            case FtpVerb.Pasv or FtpVerb.Epsv or FtpVerb.Port or FtpVerb.Eprt:
                _dataReady = code < 300;
                break;
            case FtpVerb.Fetch or FtpVerb.Store:
                _dataReady = false;
                break;
        }
    }

    public void OnPreliminary(FtpPending command)
    {
        if (command is { IsTransfer: true, Owner: FtpOwner.Client }) _dataReady = false;
    }

    /// <summary>An answer to a command of ours, swallowed.</summary>
    public void OnAnswered(FtpPending command, int code, ReadOnlySpan<byte> addressReply, Instant now, Verdicts verdicts)
    {
        verdicts.Note(FlowEventKind.ProbeAnswered, string.Create(CultureInfo.InvariantCulture, $"{code} to {Name(command.Verb)}"), Leg.Upstream, now - command.SentAt);
        if (command.InTransfer) LearnFrom(command, code, verdicts);
        if (_exchange.CountOf(FtpOwner.Ours) == 0) IsSettingStraight = false;
        ContinueListing(command, code, addressReply, now, verdicts);
    }

    /// <summary>A command of ours got no answer though a later one did.</summary>
    public void OnPassedOver(FtpPending command, Verdicts verdicts)
    {
        if (command.InTransfer) Learn(command.InUpload, FtpServerKind.Silent, verdicts);
        else verdicts.Note(FlowEventKind.Notice, $"{Name(command.Verb)} was never answered, a later command was: something on the way filters it (--ftp-commands picks others)", Leg.Upstream);
    }

    public void OnServerLeaves(Verdicts verdicts)
    {
        _leaving = true;
        if (_sinceCommand > 0)
            verdicts.Note(FlowEventKind.Notice, $"the server closed the session (421) after {_sinceCommand} keepalive commands of ours and none from the client: it does not count them as use, or punishes them (--hold with --ftp-commands list resets no-transfer timers)", Leg.Upstream);
    }

    private string? WhyNot()
    {
        if (_leaving) return "the session is ending";
        if (!_loggedIn) return "not logged in yet";
        if (_mustFollow) return "between two commands that belong together";
        if (_dataReady) return "a data connection is prepared and its transfer has not begun";
        int others = _exchange.Count - _exchange.CountOf(FtpOwner.Ours) - (_exchange.TransferRuns ? 1 : 0);
        return others > 0 ? "a command of the client's is unanswered" : null;
    }

    private ProbeAttempt ProbeTransfer(int owed, Instant now, Verdicts verdicts)
    {
        bool upload = _exchange.UploadRuns;
        // An immediate server would have answered in a round trip, not in an idle time.
        if (owed > 0) Learn(upload, FtpServerKind.Deferred, verdicts);
        string? why = _server.KindOf(upload) == FtpServerKind.Silent ? "this server never answers while a transfer runs: kernel keepalive only"
            : owed >= OwedMax ? $"{OwedMax} answers are owed already: kernel keepalive only" : null;
        return why is not null
            ? new ProbeAttempt(ProbeOutcome.Withheld, why)
            : new ProbeAttempt(ProbeOutcome.Refreshed, Send(FtpKeepAliveCommand.Noop, now, verdicts));
    }

    private string Send(FtpKeepAliveCommand command, Instant now, Verdicts verdicts)
    {
        byte[] type = command == FtpKeepAliveCommand.Type ? _type : [];
        (FtpVerb verb, byte[] line) = command switch
        {
            FtpKeepAliveCommand.Noop => (FtpVerb.Noop, "NOOP\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Pwd => (FtpVerb.Pwd, "PWD\r\n"u8.ToArray()),
            FtpKeepAliveCommand.Type => (FtpVerb.Type, [.. "TYPE "u8, .. type, .. "\r\n"u8]),
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
        int port = 0;
        bool found = command.Verb == FtpVerb.Epsv
            ? FtpAddress.TryFindExtendedPort(addressReply[4..], out _, out port)
            : FtpAddress.TryFindSix(addressReply[4..], out _, out System.Net.IPEndPoint offered) && (port = offered.Port) > 0;
        if (!found || port < FtpAddress.PortMin) return;
        _data.Drain(port);
        SendLine(FtpVerb.Fetch, "NLST\r\n"u8, now, verdicts);
    }

    private void LearnFrom(FtpPending answered, int code, Verdicts verdicts)
    {
        FtpServerKind known = _server.KindOf(answered.InUpload);
        if (_exchange.TransferRuns) Learn(answered.InUpload, code < 400 ? FtpServerKind.Immediate : FtpServerKind.Error, verdicts);
        // A NOOP that met the end of the transfer on its way says nothing new of a server known to answer at once.
        else if (known is FtpServerKind.Unknown) Learn(answered.InUpload, FtpServerKind.Deferred, verdicts);
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
