using System.Text;

namespace KeepAlive.Tests.Simulation;

/// <summary>How a simulated server treats commands while a transfer runs.</summary>
public enum Behaviour
{
    /// <summary>Answers at once: ProFTPD's read/write loop, pyftpdlib.</summary>
    Immediate,

    /// <summary>One 500 for all lines of one read: Pure-FTPd.</summary>
    Collapsing,

    /// <summary>Reads nothing until the transfer is over: vsftpd, ProFTPD with sendfile.</summary>
    Deferred,

    /// <summary>Sees an ABOR that is next, else reads nothing: FileZilla Server, ProFTPD's newest.</summary>
    DeferredButAbort,

    /// <summary>Reads NOOP and never answers it: reported of IIS.</summary>
    Silent,

    /// <summary>An immediate server behind a firewall that drops NOOP.</summary>
    Filtered,

    /// <summary>Immediate, and answers some commands only after many seconds.</summary>
    Stalling,
}

/// <summary>A reply as the server sent it, and whether it answers a command of ours.</summary>
internal readonly record struct SentReply(bool Ours, byte[] Bytes);

/// <summary>
/// An FTP server in virtual time. The client writes its verbs in lower case, the gateway in upper case: so the
/// server tells them apart, and checks by itself that the gateway's come only when they may.
/// </summary>
internal sealed class SimulatedServer
{
    private readonly VirtualTime _time;
    private readonly Behaviour _behaviour;
    private readonly int _seed;
    private readonly SimulatedData _data;
    private readonly List<byte> _partial = [];
    private readonly List<(byte[] Bytes, bool Ours, int Id)> _unread = [];
    private readonly Random _pace;
    private int _told;
    private long _toldBytes;
    private long _toldForClient;
    private int _lines;
    private int _unanswered;
    private int _ourUnanswered;
    private int _transfer; // number of the line whose transfer runs
    private bool _ourTransfer;
    private bool _loggedIn;
    private bool _dataReady;
    private bool _restPending;
    private bool _renamePending;
    private bool _busy;
    private bool _pollScheduled;

    public SimulatedServer(VirtualTime time, Behaviour behaviour, int seed, SimulatedData data)
    {
        (_time, _behaviour, _seed, _data) = (time, behaviour, seed, data);
        _pace = new Random(seed + 17);
        data.OnClose = () => OnDataClosed();
    }

    public Action<byte[]> Send { get; set; } = _ => { };

    public List<SentReply> Replies { get; } = [];

    public List<byte> ClientBytes { get; } = [];

    public List<string> OurLines { get; } = [];

    public List<string> Faults { get; } = [];

    public bool Hangs { get; set; }

    /// <summary>Of the bytes sent up to the end of a reply, how many are for the client; null when this many end no reply.</summary>
    public long? MeantForClient(long sent)
    {
        while (_told < Replies.Count && _toldBytes < sent)
        {
            SentReply reply = Replies[_told++];
            _toldBytes += reply.Bytes.Length;
            if (!reply.Ours) _toldForClient += reply.Bytes.Length;
        }

        return _toldBytes == sent ? _toldForClient : null;
    }

    public void Greet() => Reply(false, "220-Welcome\r\n 220 to\r\n220 the server\r\n");

    public void OnBytes(byte[] bytes)
    {
        foreach (byte b in bytes)
        {
            _partial.Add(b);
            if (b != (byte)'\n') continue;
            OnLine([.. _partial]);
            _partial.Clear();
        }

        Pump();
    }

    /// <summary>The client ended its data connection early.</summary>
    public void OnDataClosed()
    {
        _data.IsOpen = false;
        int running = _transfer;
        if (running != 0) _time.After(TimeSpan.FromMilliseconds(_pace.Next(60)), () => EndTransfer(running, 426));
    }

    private void OnLine(byte[] line)
    {
        string text = Encoding.Latin1.GetString(line);
        string verb = text.TrimEnd().Split(' ')[0];
        bool ours = verb.Any(char.IsAsciiLetterUpper) && !verb.Any(char.IsAsciiLetterLower);
        bool blank = text.Trim().Length == 0;
        if (ours) CheckOurs(text.TrimEnd());
        else ClientBytes.AddRange(line);
        if (blank) return;
        if (_behaviour == Behaviour.Filtered && text.StartsWith("NOOP", StringComparison.OrdinalIgnoreCase)) return;
        if (ours) _ourUnanswered++;
        else _unanswered++;
        _unread.Add((line, ours, ours ? 0 : ++_lines));
    }

    private void CheckOurs(string line)
    {
        OurLines.Add(line);
        bool setsStraight = line == "PWD" && _ourUnanswered > 0;
        string? fault = !_loggedIn ? "before login"
            : _renamePending ? "between RNFR and RNTO"
            : _restPending ? "between REST and its transfer"
            : _dataReady ? "between PASV and its transfer"
            : _unanswered > (_transfer > 0 ? 1 : 0) && !setsStraight ? "with a client's command unanswered"
            : _transfer > 0 && line != "NOOP" ? "in mid-transfer" : null;
        if (fault is not null) Faults.Add($"{line} came {fault}");
    }

    private void Pump()
    {
        while (_unread.Count > 0 && !Hangs && !_busy)
        {
            if (_transfer != 0 && !_ourTransfer)
            {
                if (!ReadsInTransfer()) return;
                continue;
            }

            (byte[] bytes, bool ours, int id) = _unread[0];
            _unread.RemoveAt(0);
            Handle(Encoding.Latin1.GetString(bytes), ours, id);
        }
    }

    private bool ReadsInTransfer()
    {
        (byte[] bytes, bool ours, int id) = _unread[0];
        string text = Encoding.Latin1.GetString(bytes);
        bool abort = text.TrimEnd().EndsWith("abor", StringComparison.OrdinalIgnoreCase);
        switch (_behaviour)
        {
            case Behaviour.Deferred:
                return false;
            case Behaviour.DeferredButAbort when !abort:
                return false;
            case Behaviour.Collapsing:
                if (!_pollScheduled)
                {
                    _pollScheduled = true;
                    _time.After(TimeSpan.FromMilliseconds(_pace.Next(50)), ReadOnce);
                }

                return false;
            case Behaviour.Silent when !text.StartsWith("noop", StringComparison.OrdinalIgnoreCase):
                return false;
            case Behaviour.Silent:
                _unread.RemoveAt(0);
                if (ours) _ourUnanswered--;
                else _unanswered--;
                return true;
        }

        _unread.RemoveAt(0);
        Handle(text, ours, id);
        return true;
    }

    private void ReadOnce()
    {
        _pollScheduled = false;
        if (_transfer == 0 || _unread.Count == 0 || Hangs)
        {
            Pump();
            return;
        }

        List<(byte[] Bytes, bool Ours, int Id)> read = [.. _unread];
        _unread.Clear();
        if (read.Exists(l => l.Ours) && read.Exists(l => !l.Ours)) Faults.Add("a client's line was read together with ours: one 500 for both");
        if (!read[0].Ours && Encoding.Latin1.GetString(read[0].Bytes).TrimEnd().EndsWith("abor", StringComparison.OrdinalIgnoreCase))
        {
            Handle("abor", ours: false, read[0].Id);
            return;
        }

        foreach ((_, bool ours, _) in read.Skip(1))
        {
            if (ours) _ourUnanswered--;
            else _unanswered--;
        }

        Answer(read[0].Ours, $"500 {Tag(read[0].Ours, read[0].Id)} Unknown command\r\n");
    }

    private void Handle(string line, bool ours, int id)
    {
        if (_behaviour == Behaviour.Stalling && Rng(id + _lines).Next(6) == 0)
        {
            _busy = true;
            _time.After(TimeSpan.FromSeconds(Rng(id).Next(1, 25)), () =>
            {
                _busy = false;
                Execute(line, ours, id);
                Pump();
            });
            return;
        }

        Execute(line, ours, id);
    }

    private void Execute(string line, bool ours, int id)
    {
        string[] words = line.TrimEnd().TrimStart('\xFF', '\xF4', '\xF2').Split(' ', 2);
        string verb = words[0].ToUpperInvariant();
        string tag = Tag(ours, id);
        if (ours && verb == "NLST") Transfer(ours, id);
        else if (verb is "RETR" or "STOR" or "LIST") Transfer(ours, id);
        else if (verb == "ABOR") Abort(id);
        else Answer(ours, Text(verb, words.Length > 1 ? words[1] : "", tag, id, ours));
    }

    private string Text(string verb, string argument, string tag, int id, bool ours)
    {
        bool fails = Rng(id).Next(12) == 0 && !ours;
        _renamePending = verb == "RNFR" && !ours && !fails;
        if (fails && verb is not ("USER" or "PASS" or "REST")) return $"{(Rng(id).Next(2) == 0 ? 550 : 530)} {tag} no.\r\n";
        if (verb == "PASS") _loggedIn = true;
        if (!ours && verb is "PASV" or "EPSV" or "PORT" or "EPRT" && argument != "all") _dataReady = true;
        if (!ours && verb == "REST") _restPending = argument != "0";
        return verb switch
        {
            "USER" => $"331 {tag} password\r\n",
            "PASS" => $"230-Hello\r\n226 inside\r\n\r\n230 {tag} in\r\n",
            "PASV" => $"227 {tag} Entering Passive Mode (10,0,0,2,200,{id % 256}).\r\n",
            "EPSV" when argument != "all" => $"229 {tag} Extended (|||{2000 + id}|)\r\n",
            "REST" or "RNFR" => $"350 {tag} go on\r\n",
            "PWD" or "MKD" => $"257 \"/\" {tag}\r\n",
            "STAT" or "FEAT" => $"211-status\r\n226 fake\r\n200-fake\r\n211-more\r\n211 {tag} end\r\n",
            "SIZE" => $"213 {tag} 12\r\n",
            "QUIT" => $"221 {tag} bye\r\n",
            "AUTH" => $"502 {tag} no TLS\r\n",
            "CWD" or "DELE" or "RNTO" => $"250 {tag} done\r\n",
            _ => $"200 {tag} {argument} okay\r\n",
        };
    }

    private void Transfer(bool ours, int id)
    {
        Random fate = Rng(id);
        bool ready = _dataReady;
        if (!ours) _dataReady = _restPending = false;
        if (!ours && (_transfer != 0 || !ready))
        {
            Answer(ours, $"425 {Tag(ours, id)} no data connection\r\n");
            return;
        }

        if (!ours && fate.Next(8) == 0)
        {
            Answer(ours, $"550 {Tag(ours, id)} no such file\r\n");
            return;
        }

        _transfer = ours ? -1 : id;
        _ourTransfer = ours;
        Reply(ours, $"150 {Tag(ours, id)} here it comes\r\n");
        _data.IsOpen = true;
        int running = _transfer;
        int code = ours || fate.Next(5) > 0 ? 226 : new[] { 250, 426, 451, 552, 450, 550 }[fate.Next(6)];
        double seconds = ours ? 0.1 : fate.Next(3) == 0 ? fate.NextDouble() : fate.Next(1, 120);
        _time.After(TimeSpan.FromSeconds(seconds), () =>
        {
            if (_transfer == running && !Hangs) EndTransfer(running, code);
        });
    }

    private void EndTransfer(int running, int code)
    {
        if (_transfer != running) return;
        bool ours = _ourTransfer;
        (_transfer, _ourTransfer) = (0, false);
        bool drains = code == 226 && !ours && Rng(running).Next(4) == 1;
        if (!drains) _data.IsOpen = false;
        else _time.After(TimeSpan.FromSeconds(10), () => _data.IsOpen = _transfer != 0);
        Answer(ours, $"{code} {Tag(ours, running)} transfer over\r\n");
        if (code == 226 && !ours && Rng(running).Next(6) == 0) Reply(false, "226 dup Transfer complete\r\n");
        Pump();
    }

    private void Abort(int id)
    {
        if (_transfer > 0) EndTransferFor(id);
        else Answer(false, $"225 {Tag(false, id)} nothing to abort\r\n");
    }

    private void EndTransferFor(int abort)
    {
        int running = _transfer;
        _transfer = 0;
        _data.IsOpen = false;
        Answer(false, $"426 {Tag(false, running)} aborted\r\n");
        Answer(false, $"226 {Tag(false, abort)} abort successful\r\n");
    }

    private void Answer(bool ours, string text)
    {
        if (ours) _ourUnanswered--;
        else _unanswered--;
        Reply(ours, text);
    }

    private void Reply(bool ours, string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        Replies.Add(new SentReply(ours, bytes));
        Send(bytes);
    }

    // What becomes of a command depends on the command alone, so that it is the same with and without us.
    private Random Rng(int id) => new((_seed * 7919) + id);

    private static string Tag(bool ours, int id) => ours ? "OURS" : $"c{id}";
}
