using System.CommandLine;
using KeepAlive.App.Gateways;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Connections;

/// <summary><c>keepalive apply</c>: sets keepalive on sockets of running programs.</summary>
internal static class ApplyCommand
{
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private static readonly Argument<KeepAliveSpec> Spec = CommandLine.Argument<KeepAliveSpec>("SPEC", "idle:count:interval such as 60:4:15, on, or off", Texts.Spec);
    private static readonly Option<bool> All = new("--all") { Description = "Every connection (of every network namespace, for root)" };
    private static readonly Option<UserTimeout> UserTimeoutOption = CommandLine.Option<UserTimeout>("--user-timeout", "TCP user timeout: auto (the detection time), off, or a duration. A peer whose window stays closed that long is given up too", Texts.UserTimeoutText, "auto");
    private static readonly Option<bool> Established = new("--established") { Description = "Leave listening sockets, whose accepted connections would inherit" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would be changed, change nothing" };
    private static readonly Option<bool> Watch = new("--watch") { Description = "Go on with sockets that come to be, until Ctrl-C" };

    public static Command Create()
    {
        var command = new Command("apply", "Sets keepalive on the sockets of running programs.") { Spec, All, UserTimeoutOption, Established, DryRun, Watch };
        ConnectionFilter.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var filter = ConnectionFilter.Read(parsed);
        if (!filter.IsAny && !parsed.GetValue(All)) return Misused("say which sockets: --pid N, --port N, --remote CIDR, or --all");
        if (parsed.GetValue(DryRun) && parsed.GetValue(Watch)) return Misused("--dry-run and --watch exclude each other");
        if (!OperatingSystem.IsLinux()) return Failed("Linux only: elsewhere only a program itself can change its sockets");

        var settings = SocketSettings.Of(parsed.GetValue(Spec), parsed.GetValue(UserTimeoutOption));
        foreach (Shortfall shortfall in settings.Shortfalls) CommandLine.Complain($"keepalive apply: {shortfall}");
        var run = new ApplyRun(filter, settings, !parsed.GetValue(Established), parsed.GetValue(DryRun), parsed.InvocationConfiguration.Output);
        try
        {
            if (!parsed.GetValue(Watch)) return run.Once();
            using var signals = new StopSignals();
            do run.Again();
            while (await Task.WhenAny(signals.First, Task.Delay(WatchPeriod)).ConfigureAwait(false) != signals.First);
            return CommandLine.Done;
        }
        catch (SyscallException e)
        {
            return Failed(e.Message);
        }
    }

    private static int Misused(string fault)
    {
        CommandLine.Complain($"keepalive apply: {fault}");
        return CommandLine.Misused;
    }

    private static int Failed(string fault)
    {
        CommandLine.Complain($"keepalive apply: {fault}");
        return CommandLine.Failed;
    }
}

/// <summary>One reading and setting after another, each socket once.</summary>
internal sealed class ApplyRun(ConnectionFilter filter, SocketSettings settings, bool listeners, bool dry, TextWriter output)
{
    private HashSet<ulong> _seen = [];

    public int Once()
    {
        ConnectionList list = Read();
        List<Connection> chosen = Choose(list, out int ours);
        if (chosen.Count == 0)
        {
            Complain($"no such connection{(ours > 0 ? $" but {ours} of keepalive itself, whose gateway sets its own (--tcp)" : "")}: 'keepalive list' shows them");
            foreach (string note in list.Notes) Complain(note);
            return CommandLine.Failed;
        }

        IReadOnlyList<ConnectionChange> changes = Change(chosen, list.Source);
        ChangeTable.Write(output, changes, dry);
        Complain(ChangeTable.Summary(changes, dry) + (ours > 0 ? $"; {ours} of keepalive itself left alone" : ""));
        return changes.Any(c => c.Kind == ChangeKind.Refused) ? CommandLine.Failed : CommandLine.Done;
    }

    /// <summary>Those that were not there the last time.</summary>
    public void Again()
    {
        ConnectionList list = Read();
        List<Connection> chosen = Choose(list, out _);
        List<Connection> fresh = [.. chosen.Where(c => !_seen.Contains(c.Socket.Cookie))];
        _seen = [.. chosen.Select(c => c.Socket.Cookie)];
        ChangeTable.Write(output, [.. Change(fresh, list.Source).Where(c => c.Kind != ChangeKind.AlreadySo)], dry);
    }

    private ConnectionList Read() => ConnectionReader.Read(filter.Scope with { States = States(listeners) });

    // One that is being opened will be established with what it is given now.
    private static TcpStates States(bool listeners) =>
        listeners ? States(false).With(TcpState.Listening) : TcpStates.Lasting.With(TcpState.SynSent);

    private IReadOnlyList<ConnectionChange> Change(List<Connection> chosen, OptionSource source) => dry
        ? ConnectionSetter.Preview(settings, chosen) : ConnectionSetter.Apply(settings, chosen, source);

    // A gateway sets its own sockets by its own --tcp: two masters would undo each other.
    private List<Connection> Choose(ConnectionList list, out int ours)
    {
        List<Connection> matching = [.. list.Connections.Where(c => filter.Contains(c))];
        ours = matching.RemoveAll(c => c.Owners.Any(IsOurs));
        return matching;
    }

    private static bool IsOurs(SocketOwner owner) => owner.Command == "keepalive";

    private static void Complain(string line) => CommandLine.Complain($"keepalive apply: {line}");
}
