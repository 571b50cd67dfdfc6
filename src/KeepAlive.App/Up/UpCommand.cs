using System.CommandLine;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Fleet;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.App.Metrics;
using KeepAlive.App.Web;

namespace KeepAlive.App.Up;

/// <summary><c>keepalive up</c>: everything that a machine is to do, by one file, in the foreground.</summary>
internal static class UpCommand
{
    private static readonly Option<string?> FileName = new("--config")
    {
        Description = $"The file, otherwise the one that {ConfigFile.Variable} names, /etc/keepalive/keepalive.json for root, ~/.config/keepalive/keepalive.json for others",
        HelpName = "FILE",
    };

    private static readonly Option<WebAddress?> Page = CommandLine.Option<WebAddress?>("--page", $"Where the page is, or off, whatever the file says; otherwise where {DashboardArguments.Variable} says; {WebOptions.DefaultListen}", DashboardArguments.AddressText);
    private static readonly Option<string?> PageFolder = new("--page-files") { Description = "Serves the page's files from a folder, for whoever works on them", HelpName = "DIR" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    private static readonly Option<bool> Upgrade = new(Succession.UpgradeOption) { Description = "Take over from the one that runs by this file, without dropping a flow: it ends with its last one (Linux)" };
    private static readonly Option<TimeSpan?> Linger = CommandLine.Option<TimeSpan?>("--linger", "How long flows may live on once another process has taken over; as long as they like unless given", LingerText);

    private static readonly Option<LogKind> Log = new("--log") { Description = "Where events go: text or json on standard output, journal; auto: the journal where standard output is it, else text", DefaultValueFactory = _ => LogKind.Auto };

    public static Command Create()
    {
        var command = new Command("up", "Runs the gateways and host policies of a file, and follows its changes; without one nothing is changed.") { FileName, Page, PageFolder, Json, Log, Upgrade, Linger };
        foreach (Option option in FleetArguments.OfMember) command.Options.Add(option);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        LogKind kind = parsed.GetValue(Log);
        using var log = new EventLog(kind == LogKind.Auto && parsed.GetValue(Json) ? LogKind.Json : kind);
        using var signals = new StopSignals();
        using var heap = new QuietHeap();
        WebAddress? asked = parsed.GetValue(Page);
        if (asked is null && Environment.GetEnvironmentVariable(DashboardArguments.Variable) is { Length: > 0 } text && !DashboardArguments.AddressText(text, out asked, out string? fault))
        {
            CommandLine.Complain($"keepalive up: {DashboardArguments.Variable}: {fault}");
            return CommandLine.Misused;
        }

        FleetOptions? fleet = FleetArguments.Read(parsed, out fault);
        string? machine = fleet is null ? null : FleetArguments.MachineOf(parsed, out fault);
        if (fault is not null)
        {
            CommandLine.Complain($"keepalive up: {fault}");
            return CommandLine.Misused;
        }

        await using var sinks = new EventSinks();
        using var metrics = new DaemonMetrics();
        var live = new LiveState();
        var digests = new FleetDigests(live);
        var events = new DaemonEvents(log.Print, live.OnTold, metrics.Tell, sinks.Tell, digests.OnTold);
        DaemonFleet? member = fleet is null ? null : new DaemonFleet(fleet, machine!, events, digests, new FleetPaths(live, events));
        using var policies = new PolicyEndpoints(events);
        var page = new RunningPage(asked, parsed.GetValue(PageFolder), live, events, policies.Map, MetricsEndpoint.Of(metrics), FleetEndpoint.Of(member));
        if (ProcessRights.Own()?.Missing() is { } missing) events.Tell("limited", null, missing);
        ConfigFile file = ConfigFile.Find(parsed.GetValue(FileName));
        using var succession = new Succession(ControlPlace.Find(file), events, parsed.GetValue(Upgrade));
        return await new Daemon(file, new DaemonOutlets(events, sinks, metrics, live, page, member), signals, succession, parsed.GetValue(Linger)).RunAsync().ConfigureAwait(false);
    }

    private static bool LingerText(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(TimeSpan.Zero, TimeSpan.FromDays(30))(text, out TimeSpan duration, out fault);
        value = good ? duration : null;
        return good;
    }
}
