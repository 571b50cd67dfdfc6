using System.Globalization;
using System.Text;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// An FTP client in virtual time, doing what real ones do in random order. It believes every reply: one that
/// answers none of its commands is a fault.
/// </summary>
internal sealed class SimulatedClient(VirtualTime time, Behaviour behaviour, int seed, SimulatedServer server, SimulatedData data, bool busyInTransfers)
{
    private static readonly string[] Simple =
        ["pwd", "cwd /a", "type i", "type a", "syst", "feat", "stat", "noop", "size x", "mkd y", "dele z", "help", "auth tls", "Site chmod", "rest 0", "epsv all"];

    private readonly Random _random = new(seed);
    private readonly Dictionary<int, string> _waiting = [];
    private readonly List<byte> _line = [];
    private IEnumerator<TimeSpan?>? _script;
    private string? _multi;
    private int _sent;
    private int _waitFor;
    private bool _asleep;

    public Action<byte[]> Send { get; set; } = _ => { };

    public List<byte> Seen { get; } = [];

    public List<byte> Said { get; } = [];

    public List<string> Faults { get; } = [];

    public bool IsDone { get; private set; }

    public string Waiting => string.Join(", ", _waiting.Select(w => $"c{w.Key} {w.Value}"));

    public void OnBytes(byte[] bytes)
    {
        Seen.AddRange(bytes);
        foreach (byte b in bytes)
        {
            _line.Add(b);
            if (b != (byte)'\n') continue;
            OnLine(Encoding.Latin1.GetString([.. _line]));
            _line.Clear();
        }

        if (!_asleep && _waiting.Count <= _waitFor) Go();
    }

    private void OnLine(string line)
    {
        if (line.Contains("OURS")) Faults.Add($"saw an answer to ours: {line.TrimEnd()}");
        if (_multi is null && line[3] == '-')
        {
            _multi = line[..3] + " ";
            return;
        }

        if (_multi is not null && !line.StartsWith(_multi, StringComparison.Ordinal)) return;
        bool greeting = _script is null;
        _multi = null;
        if (greeting)
        {
            _script = Script().GetEnumerator();
            return;
        }

        if (line[0] == '1' || line.Contains(" dup ")) return;
        int at = line.IndexOf('c', 4);
        string digits = new([.. line[(at + 1)..].TakeWhile(char.IsAsciiDigit)]);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || !_waiting.Remove(id))
            Faults.Add($"answers nothing of the client's: {line.TrimEnd()} (waiting for {Waiting})");
    }

    private void Go()
    {
        if (_script is null || IsDone) return;
        if (!_script.MoveNext())
        {
            IsDone = true;
        }
        else if (_script.Current is { } pause)
        {
            _asleep = true;
            time.After(pause, () =>
            {
                _asleep = false;
                Go();
            });
        }
        else if (_waiting.Count <= _waitFor)
        {
            Go();
        }
    }

    // Null: until no more than _waitFor replies are awaited. A duration: a pause.
    private IEnumerable<TimeSpan?> Script()
    {
        Say("user me");
        yield return Replies();
        Say("pass x");
        yield return Replies();
        int actions = _random.Next(4, 16);
        for (int i = 0; i < actions; i++)
        {
            IEnumerable<TimeSpan?> action = _random.Next(10) switch
            {
                < 2 => One(),
                2 => Batch(),
                3 => Rename(),
                4 => Idle(),
                _ => Transfer(),
            };
            foreach (TimeSpan? wait in action) yield return wait;
            if (_random.Next(3) == 0) yield return Pause(_random.Next(4) == 0 ? 40 : 1);
        }

        if (_random.Next(4) == 0)
        {
            Say("pasv");
            yield return Replies();
        }

        Say("quit");
        yield return Replies();
    }

    private IEnumerable<TimeSpan?> One()
    {
        Say(Pick());
        yield return Replies();
    }

    private IEnumerable<TimeSpan?> Batch()
    {
        int count = _random.Next(2, 9);
        for (int i = 0; i < count; i++) Say(Pick());
        if (_random.Next(6) == 0) Raw("\r\n");
        yield return Replies();
    }

    private IEnumerable<TimeSpan?> Rename()
    {
        Say("rnfr a");
        yield return Replies();
        if (_random.Next(2) == 0) yield return Pause(60);
        Say("rnto b");
        yield return Replies();
    }

    private IEnumerable<TimeSpan?> Idle()
    {
        yield return Pause(250);
    }

    private IEnumerable<TimeSpan?> Transfer()
    {
        bool pipelined = _random.Next(5) == 0;
        if (_random.Next(2) == 0) Say("type i");
        if (!pipelined) yield return Replies();
        bool restFirst = _random.Next(6) == 0;
        if (restFirst)
        {
            Say("rest 100");
            if (!pipelined) yield return Replies();
        }

        Say(_random.Next(4) switch { 0 => "epsv", 1 => "port 10,0,0,2,200,3", 2 => "eprt |1|10.0.0.2|3000|", _ => "pasv" });
        if (!pipelined) yield return Replies();
        if (restFirst && _random.Next(2) == 0) yield return Pause(50);
        if (!restFirst && _random.Next(4) == 0)
        {
            Say("rest 100");
            if (!pipelined) yield return Replies();
            if (_random.Next(4) == 0) yield return Pause(50);
        }

        Say(_random.Next(3) switch { 0 => "stor f", 1 => "list", _ => "retr f" });
        int transfer = _sent;
        if (busyInTransfers)
            foreach (TimeSpan? wait in WhileTransferring(transfer)) yield return wait;
        yield return Replies();
        if (_random.Next(4) > 0 || behaviour == Behaviour.Filtered) yield break;
        Say("noop"); // drains what is left after the 226
        yield return Pause(3);
        yield return Replies();
    }

    private IEnumerable<TimeSpan?> WhileTransferring(int transfer)
    {
        int what = _random.Next(6);
        for (int i = 0; i < 5 && what < 3; i++)
        {
            yield return Pause(20);
            yield return Replies(1);
            if (!_waiting.ContainsKey(transfer)) yield break;
            if (what == 0 && behaviour is not (Behaviour.Silent or Behaviour.Filtered)) Say("noop");
            if (what == 1) Say("stat");
            if (what == 2 && i == 2)
            {
                data.IsOpen = false;
                server.OnDataClosed();
                Raw(_random.Next(2) == 0 ? "\xFF\xF4\xFF\xF2" : "");
                Say("abor");
                yield break;
            }
        }
    }

    private TimeSpan Pause(int secondsMax) => TimeSpan.FromSeconds(_random.NextDouble() * secondsMax);

    private TimeSpan? Replies(int leave = 0)
    {
        _waitFor = leave;
        return null;
    }

    private string Pick()
    {
        string command = Simple[_random.Next(Simple.Length)];
        return command == "noop" && behaviour == Behaviour.Filtered ? "help" : command;
    }

    private void Say(string command)
    {
        _waiting.Add(++_sent, command);
        Raw(command + (_random.Next(8) == 0 ? "\n" : "\r\n"));
    }

    private void Raw(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        Said.AddRange(bytes);
        Send(bytes);
    }
}
