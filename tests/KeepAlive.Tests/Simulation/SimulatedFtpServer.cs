using System.Text;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// A server of one kind. The simulated client writes its commands in lower case and the gateway's own are in upper
/// case, so that it can tell them apart, and says itself where one came that must not.
/// </summary>
internal sealed class SimulatedFtpServer(World world, FtpServerKind kind, Func<TimeSpan> transferTime, Action<string> reply)
{
    private readonly StringBuilder _partial = new();
    private readonly Queue<string> _unread = new();
    private bool _transferring;
    private bool _loggedIn;

    /// <summary>Commands of the client's, in order.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>Commands of the gateway's.</summary>
    public int Injected { get; private set; }

    /// <summary>Injected where they must not be.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Reads nothing and says nothing any more.</summary>
    public bool Hung { get; set; }

    public void Receive(byte[] bytes)
    {
        if (Hung) return;
        bool rejected = false;
        foreach (char c in Encoding.Latin1.GetString(bytes))
        {
            _partial.Append(c);
            if (c != '\n') continue;
            string line = _partial.ToString().TrimEnd('\r', '\n');
            _partial.Clear();
            Note(line);
            if (!_transferring || line.StartsWith("abor", StringComparison.Ordinal)) Obey(line);
            else if (kind == FtpServerKind.Immediate) reply($"200 {line}: transfer in progress");
            else if (kind == FtpServerKind.Deferred) _unread.Enqueue(line);
            else if (kind == FtpServerKind.Error && !rejected)
            {
                reply("500 Unknown command");
                rejected = true; // one for all lines of one read, as Pure-FTPd does
            }
        }
    }

    private void Note(string line)
    {
        if (char.IsLower(line[0]))
        {
            Commands.Add(line);
            return;
        }

        Injected++;
        if (!_loggedIn) Violations.Add($"{line} before login");
        string last = Commands.Count == 0 ? "" : Commands[^1].Split(' ')[0];
        if (!_transferring && last is "user" or "rnfr" or "rest" or "pasv") Violations.Add($"{line} after {last}");
        if (_transferring && line != "NOOP") Violations.Add($"{line} while a transfer runs");
    }

    private void Obey(string line)
    {
        string verb = line.Split(' ')[0];
        switch (verb)
        {
            case "user": reply("331 password"); break;
            case "pass": _loggedIn = true; reply("230-in\r\n 230 more\r\n230 in"); break;
            case "pasv": reply("227 Entering Passive Mode (10,0,0,9,195,80)"); break;
            case "retr" or "stor": Transfer(); break;
            case "rnfr" or "rest": reply($"350 {line}"); break;
            case "fail": reply($"550 {line}"); break;
            case "PWD": reply("257 \"/\""); break;
            case "STAT": reply("211-status\r\n 226 not an end\r\n211 end"); break;
            case "REST": reply("350 restart at 0"); break;
            case "abor": Abort(); break;
            default: reply($"200 {line}"); break;
        }
    }

    private int _transfer;

    private void Transfer()
    {
        _transferring = true;
        int mine = ++_transfer;
        reply("150 here");
        world.In(transferTime(), () => End(mine, "226 done"));
    }

    private void Abort()
    {
        if (_transferring) End(_transfer, "426 aborted");
        reply("226 abort");
    }

    private void End(int transfer, string final)
    {
        if (Hung || !_transferring || transfer != _transfer) return;
        _transferring = false;
        reply(final);
        while (!_transferring && _unread.TryDequeue(out string? line)) Obey(line);
    }
}
