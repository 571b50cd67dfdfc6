using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using KeepAlive.App.Events;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Paths.Ssh;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.App.Reflect;

/// <summary><c>keepalive reflect --ssh</c>: holds sessions open and finds out who is dead.</summary>
internal static class SshReflecting
{
    private static readonly Option<AliveSetting> Alive = CommandLine.Option<AliveSetting>("--alive", "With --ssh: keepalive towards clients, COUNT:INTERVAL, the order of ProFTPD's SFTPClientAlive, or off; dead after COUNT times INTERVAL", AliveText, "3:15");
    private static readonly Option<string> AliveName = CommandLine.Option<string>("--alive-name", "With --ssh: whose request is sent: proftpd (keepalive@proftpd.org), openssh (keepalive@openssh.com)", NameText, "proftpd");
    private static readonly Option<string?> HostKey = new("--host-key") { Description = "With --ssh: the server's key, a PEM file with ECDSA or RSA; else a new one in memory", HelpName = "FILE" };
    private static readonly Option<string?> AuthorizedKeys = new("--authorized-keys") { Description = "With --ssh: let in only who has one of the keys in this file; else everybody", HelpName = "FILE" };

    // Files are not kept, but they are taken.
    private const int BytesMax = 16 << 20;

    public static Option[] Options { get; } = [Alive, AliveName, HostKey, AuthorizedKeys];

    /// <returns>What is wrong, and what to do; null when it was stopped.</returns>
    public static async Task<string?> RunAsync(ParseResult parsed, ReflectBounds bounds, EventPrinter printer, Task stop)
    {
        if (!TryReadKeys(parsed, out SshPrivateKey? hostKey, out HashSet<SshPublicKey>? users, out string? fault)) return fault;
        using SshPrivateKey own = hostKey!;
        SshKeepAlive? alive = parsed.GetValue(Alive).KeepAlive is { } asked ? new SshKeepAlive(asked.Count, asked.Interval, parsed.GetValue(AliveName)!) : null;
        var server = new SshServerOptions
        {
            Random = RandomNumberGenerator.Fill,
            HostKeys = [own],
            LetIn = login => users is null || (login.Key is { } key && users.Contains(key)),
            KeepAlive = alive,
            BytesMax = bounds.MaxBytes ?? BytesMax,
        };
        var options = new SshReflectorOptions { Listen = bounds.Listen, Server = server };
        options = options with { MaxFlows = bounds.MaxFlows ?? options.MaxFlows, MaxTime = bounds.MaxTime ?? options.MaxTime };
        await using SshReflector reflector = SshReflector.Start(options, (flow, e) => printer.Print(Told(flow, e)));
        printer.PrintReflecting(reflector.Listening.ToString(), own.Public.Fingerprint, alive is null ? "off"
            : $"{alive.Name} {alive}, dead after {Duration.Format(alive.DetectionTime)}");
        await stop.ConfigureAwait(false);
        return null;
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

    // A value of its own, as the library takes no null from a parser.
    private readonly record struct AliveSetting(SshKeepAlive? KeepAlive);

    private static bool AliveText(string text, out AliveSetting value, out string? fault)
    {
        (value, fault) = (default, null);
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        string[] parts = text.Split(':');
        if (parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && Duration.TryParse(parts[1], out TimeSpan interval))
        {
            try
            {
                value = new AliveSetting(new SshKeepAlive(count, interval));
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
