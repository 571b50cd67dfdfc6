using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KeepAlive.App.Gateways;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Paths.Ssh;
using KeepAlive.Protocols.Ssh;
using KeepAlive.Sockets;

namespace KeepAlive.App.Reflect;

/// <summary><c>keepalive reflect</c>: the other end of a path, which holds sessions open and finds out who is dead.</summary>
internal static class ReflectCommand
{
    private static readonly TimeSpan MaxTimeMax = TimeSpan.FromDays(30);

    private static readonly Option<bool> Ssh = new("--ssh") { Description = "Speak SSH: clients of ssh and sftp are let in and held; nothing is to be had" };
    private static readonly Option<IPEndPoint> Listen = CommandLine.Option<IPEndPoint>("--listen", "Where clients connect: ADDRESS:PORT", ListenText, "127.0.0.1:2222");
    private static readonly Option<SshKeepAlive?> Alive = CommandLine.Option<SshKeepAlive?>("--alive", "Keepalive towards clients: COUNT:INTERVAL, the order of ProFTPD's SFTPClientAlive, or off; dead after COUNT times INTERVAL", AliveText, "3:15");
    private static readonly Option<string> AliveName = CommandLine.Option<string>("--alive-name", "Whose request is sent: proftpd (keepalive@proftpd.org), openssh (keepalive@openssh.com)", NameText, "proftpd");
    private static readonly Option<string?> HostKey = new("--host-key") { Description = "The server's key, a PEM file with ECDSA or RSA; else a new one in memory", HelpName = "FILE" };
    private static readonly Option<string?> AuthorizedKeys = new("--authorized-keys") { Description = "Let in only who has one of the keys in this file; else everybody", HelpName = "FILE" };
    private static readonly Option<int> MaxFlows = CommandLine.Option("--max-flows", "Sessions at a time; further clients are turned away", Texts.NumberWithin(1, 100_000), "100");
    private static readonly Option<int> MaxBytes = CommandLine.Option("--max-bytes", "The most bytes that a client may send in its channels", Texts.NumberWithin(0, int.MaxValue), "16777216");
    private static readonly Option<TimeSpan> MaxTime = CommandLine.Option("--max-time", "How long a session may last", Texts.DurationWithin(TimeSpan.FromSeconds(1), MaxTimeMax), "24h");
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("reflect", "The other end of a path: holds sessions open, answers and sends keepalives, and ends those that are dead.");
        foreach (Option option in (Option[])[Ssh, Listen, Alive, AliveName, HostKey, AuthorizedKeys, MaxFlows, MaxBytes, MaxTime, Json]) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (!parsed.GetValue(Ssh))
        {
            CommandLine.Complain("keepalive reflect: say what is to be spoken: --ssh is all there is");
            return CommandLine.Misused;
        }

        if (!TryReadKeys(parsed, out SshPrivateKey? hostKey, out HashSet<SshPublicKey>? users, out string? fault))
        {
            CommandLine.Complain($"keepalive reflect: {fault}");
            return CommandLine.Failed;
        }

        SshKeepAlive? alive = parsed.GetValue(Alive) is { } asked ? new SshKeepAlive(asked.Count, asked.Interval, parsed.GetValue(AliveName)!) : null;
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), EventPrinter.WriteChars);
        using var printer = new EventPrinter(output, parsed.GetValue(Json));
        using var signals = new StopSignals();
        try
        {
            var options = new SshReflectorOptions
            {
                Listen = parsed.GetValue(Listen)!,
                MaxFlows = parsed.GetValue(MaxFlows),
                MaxTime = parsed.GetValue(MaxTime),
                Server = new SshServerOptions
                {
                    Random = RandomNumberGenerator.Fill,
                    HostKeys = [hostKey!],
                    LetIn = login => users is null || (login.Key is { } key && users.Contains(key)),
                    KeepAlive = alive,
                    BytesMax = parsed.GetValue(MaxBytes),
                },
            };
            await using SshReflector reflector = SshReflector.Start(options, (flow, e) => printer.Print(Told(flow, e)));
            printer.PrintReflecting(reflector.Listening.ToString(), hostKey!.Public.Fingerprint, alive is null ? "off"
                : $"{alive.Name} {alive}, dead after {Duration.Format(alive.DetectionTime)}");
            await signals.First.ConfigureAwait(false);
            return CommandLine.Done;
        }
        catch (SocketException e)
        {
            CommandLine.Complain($"keepalive reflect: cannot listen on {parsed.GetValue(Listen)}: {e.SocketErrorCode}: choose an address of this machine and a free port (ss -ltnp shows those taken)");
            return CommandLine.Failed;
        }
        finally
        {
            hostKey!.Dispose();
        }
    }

    // The same words as a gateway's events have.
    private static FlowEvent Told(long flow, SshEvent e) => new(flow, MonotonicClock.Now, e.Kind switch
    {
        SshEventKind.LoggedIn => FlowEventKind.Connected,
        SshEventKind.LoginRefused => FlowEventKind.Refused,
        SshEventKind.ProbeSent => FlowEventKind.ProbeSent,
        SshEventKind.ProbeAnswered => FlowEventKind.ProbeAnswered,
        SshEventKind.Died => FlowEventKind.Died,
        SshEventKind.Ended => FlowEventKind.Closed,
        _ => FlowEventKind.Notice,
    }, e.Kind switch
    {
        SshEventKind.KeysExchanged => $"keys exchanged: {e.Text}",
        SshEventKind.LoggedIn => $"'{e.Text}' is logged in",
        SshEventKind.ChannelOpened => $"open: {e.Text}",
        SshEventKind.ChannelClosed => $"closed: {e.Text}",
        SshEventKind.ProbeHeard => $"answered the client's {e.Text}",
        _ => e.Text,
    })
    { Leg = Leg.Downstream, Took = e.Took };

    private static bool TryReadKeys(ParseResult parsed, out SshPrivateKey? hostKey, out HashSet<SshPublicKey>? users, out string? fault)
    {
        (hostKey, users, fault) = (null, null, null);
        string? at = null;
        try
        {
            if (parsed.GetValue(AuthorizedKeys) is { } usersFile)
            {
                at = usersFile;
                users = [];
                foreach (string line in File.ReadAllLines(usersFile))
                {
                    if (SshPublicKey.TryParse(line, out SshPublicKey? key)) users.Add(key);
                }

                if (users.Count == 0) fault = $"--authorized-keys: '{usersFile}' holds no key that can be used: give lines such as 'ecdsa-sha2-nistp256 AAAA...', ECDSA or RSA";
            }

            at = parsed.GetValue(HostKey);
            if (at is null) hostKey = SshPrivateKey.Generate();
            else if (!SshPrivateKey.TryParsePem(File.ReadAllText(at), out hostKey, out string? bad)) fault = $"--host-key: '{at}': {bad}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"cannot read '{at}': {e.Message}";
        }

        return fault is null;
    }

    private static bool ListenText(string text, out IPEndPoint value, out string? fault)
    {
        bool good = HostPort.TryParseListen(text, out IPEndPoint? endPoint, out fault);
        value = endPoint!;
        return good;
    }

    private static bool AliveText(string text, out SshKeepAlive? value, out string? fault)
    {
        (value, fault) = (null, null);
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        string[] parts = text.Split(':');
        if (parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && Duration.TryParse(parts[1], out TimeSpan interval))
        {
            try
            {
                value = new SshKeepAlive(count, interval);
                return true;
            }
            catch (ArgumentException e)
            {
                fault = $"'{text}': {e.Message}";
                return false;
            }
        }

        fault = $"'{text}' is not COUNT:INTERVAL: give a number and seconds, or a duration, such as 3:15 or 3:500ms; or off";
        return false;
    }

    private static bool NameText(string text, out string value, out string? fault)
    {
        value = text switch { "proftpd" or SshKeepAlive.ProFtpdName => SshKeepAlive.ProFtpdName, "openssh" or SshKeepAlive.OpenSshName => SshKeepAlive.OpenSshName, _ => "" };
        fault = value.Length == 0 ? $"'{text}' is not known: give proftpd or openssh" : null;
        return fault is null;
    }
}
