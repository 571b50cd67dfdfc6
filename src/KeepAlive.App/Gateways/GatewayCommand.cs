using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.App.Events;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;
using KeepAlive.Gateway.Transparent;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Http;
using KeepAlive.Protocols.Ldap;
using KeepAlive.Sockets;

namespace KeepAlive.App.Gateways;

/// <summary><c>keepalive gateway</c>: gateways in the foreground.</summary>
internal static class GatewayCommand
{
    private const int PortsMax = 1000;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly Option<string[]> Listen = new("--listen") { Description = "Where clients connect: ADDRESS:PORT", HelpName = "A:P" };
    private static readonly Option<string[]> To = new("--to") { Description = "The server: HOST:PORT. A name is resolved again for each flow.", HelpName = "H:P" };
    private static readonly Option<string> ProtocolName = new("--protocol") { Description = "auto (by the server's port), " + string.Join(", ", ProtocolList.All.Select(p => p.Name)), DefaultValueFactory = _ => "auto" };
    private static readonly Option<KeepAliveSpec> ProbeSpec = CommandLine.Option<KeepAliveSpec>("--probe", "The protocol's own probes towards the server: idle:count:interval, on, off", Texts.Spec, "30:3:10");
    private static readonly Option<KeepAliveSpec?> ClientProbe = CommandLine.Option<KeepAliveSpec?>("--client-probe", "Those towards the client, where the protocol has any: as --probe unless given", OptionalSpec);
    private static readonly Option<UserTimeout> UserTimeoutOption = CommandLine.Option<UserTimeout>("--user-timeout", "TCP user timeout: auto (the detection time), off, or a duration", Texts.UserTimeoutText, "auto");
    private static readonly Option<int> MaxFlows = CommandLine.Option("--max-flows", "Flows at a time; further clients are refused", Texts.NumberWithin(1, 1_000_000), $"{GatewayOptions.MaxFlowsDefault}");
    private static readonly Option<TimeSpan> Drain = CommandLine.Option("--drain", "How long to wait for flows to end when stopped", Texts.DurationWithin(TimeSpan.Zero, Day), "30s");
    private static readonly Option<TimeSpan> ConnectTimeout = CommandLine.Option("--connect-timeout", "How long connecting to the server may take", Texts.DurationWithin(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), "15s");
    private static readonly Option<PortRange?> DataPorts = CommandLine.Option("--data-ports", "Ports for FTP data connections that peers dial to us: FIRST-LAST", Texts.Ports(65536));
    private static readonly Option<PortRange?> PassiveRange = CommandLine.Option("--passive-range", "The server's passive ports, relayed one to one, for FTP over TLS: FIRST-LAST", Texts.Ports(PortsMax));
    private static readonly Option<string> FtpCommands = new("--ftp-commands") { Description = "What keeps idle FTP sessions alive: some of noop,pwd,type,stat,rest,cwd,list; 'random:' before it picks at random", DefaultValueFactory = _ => "noop,pwd,type,stat,rest" };
    private static readonly Option<LdapProbe> LdapProbeOption = new("--ldap-probe") { Description = "What keeps LDAP sessions alive: abandon (never answered), search (of the root entry: answered)", DefaultValueFactory = _ => LdapProbe.Abandon };
    private static readonly Option<bool> HttpInterim = new("--http-interim") { Description = "Send 102 Processing to HTTP/1.1 clients that wait for a response; some proxies in between take it for the response" };
    private static readonly Option<TimeSpan> Http2PingEvery = CommandLine.Option("--http2-ping-every", "How often at most a server is pinged over HTTP/2; gRPC's end what comes oftener than each 5m", Texts.DurationWithin(TimeSpan.FromSeconds(1), Day), "5m");
    private static readonly Option<TimeSpan?> Hold = CommandLine.Option<TimeSpan?>("--hold", "Hold idle sessions against the server's own idle policy, for at most this long after the client's last command", HoldText);
    private static readonly Option<string> Engine = new("--engine") { Description = "What moves the bytes: auto (the best there is here), portable", DefaultValueFactory = _ => "auto" };
    private static readonly Option<bool> NoCheck = new("--no-check") { Description = "Start even if the server cannot be reached now" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("gateway", "Relays connections to a server and keeps them alive, unmodified programs on both sides. --listen and --to may be repeated, in pairs.");
        foreach (Option option in (Option[])[Listen, To, ProtocolName, .. TuneArguments.All, ProbeSpec, ClientProbe, UserTimeoutOption, MaxFlows, Drain, ConnectTimeout, DataPorts, PassiveRange, FtpCommands, Hold, LdapProbeOption, HttpInterim, Http2PingEvery, Engine, .. LegArguments.All, NoCheck, Json, .. Redirection.Options])
            command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    /// <summary>Those of its options that are policy, which many gateways can share.</summary>
    public static Command CreateRule() => new("rule", "How flows are kept alive.") { TuneArguments.TcpOption, UserTimeoutOption, ProbeSpec, ClientProbe };

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        if (!TryRead(parsed, out List<GatewayOptions> all, out Redirection? redirection, out List<string> faults))
        {
            foreach (string fault in faults) CommandLine.Complain($"keepalive gateway: {fault}");
            return CommandLine.Misused;
        }

        if (redirection is { IsDryRun: true })
        {
            await parsed.InvocationConfiguration.Output.WriteAsync(redirection.Text()).ConfigureAwait(false);
            return CommandLine.Done;
        }

        try
        {
            all = [.. all.Select(options => LegArguments.Apply(parsed, options, warning => CommandLine.Complain($"keepalive gateway: {warning}")))];
        }
        catch (TlsFileException e)
        {
            CommandLine.Complain($"keepalive gateway: {e.Message}");
            return CommandLine.Failed;
        }

        if (redirection is null && !parsed.GetValue(NoCheck) && await FirstUnreachableAsync(all).ConfigureAwait(false) is { } unreachable)
        {
            CommandLine.Complain($"keepalive gateway: {unreachable} (--no-check starts all the same)");
            return CommandLine.Failed;
        }

        return await ServeAsync(parsed, all, redirection).ConfigureAwait(false);
    }

    /// <summary>How long flows have to end.</summary>
    public static TimeSpan DrainOf(ParseResult parsed) => parsed.GetValue(Drain);

    /// <summary>Whether the server is dialled once at start.</summary>
    public static bool IsChecked(ParseResult parsed) => !parsed.GetValue(NoCheck);

    private static async Task<int> ServeAsync(ParseResult parsed, List<GatewayOptions> all, Redirection? redirection)
    {
        // Never disposed: whoever reads it may have stalled, and the program is to end all the same.
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), EventPrinter.WriteChars);
        using var printer = new EventPrinter(output, parsed.GetValue(Json));
        var gateways = new List<Gateway.Gateway>();
        using var signals = new StopSignals();
        using var heap = new QuietHeap();
        var keeping = new TunedPathKeeping(PathStore.Default, printer.Print);
        try
        {
            PathPolicies? paths = TuneArguments.Read(parsed, PathStore.Default, keeping.Keep);
            foreach (GatewayOptions options in all) gateways.Add(Gateway.Gateway.Start(options with { Paths = paths }, printer.Print));
            if (redirection is not null) await redirection.BeginAsync(gateways.Select(g => g.Listening)).ConfigureAwait(false);
            foreach ((GatewayOptions options, Gateway.Gateway gateway) in all.Zip(gateways))
                printer.Print(new ListeningTold(null, gateway.Listening.ToString(), redirection?.To ?? options.To.ToString(), redirection is null ? options.Protocol.Name : parsed.GetValue(ProtocolName)!, TuneArguments.ChoiceOf(parsed), options.Probe));
            if (paths is not null) Announce(paths, all, printer.Print);
        }
        catch (Exception e) when (e is ListenException or RedirectException or MachineException)
        {
            CommandLine.Complain($"keepalive gateway: {(e is ListenException listen ? ListenFault(listen) : e.Message)}");
            foreach (Gateway.Gateway gateway in gateways) await gateway.DisposeAsync().ConfigureAwait(false);
            return CommandLine.Failed;
        }

        bool isAsked = await Task.WhenAny(signals.First, redirection?.Lost ?? signals.First).ConfigureAwait(false) == signals.First;
        if (redirection is not null) await redirection.LetGoAsync().ConfigureAwait(false);
        TimeSpan drain = isAsked ? parsed.GetValue(Drain) : TimeSpan.Zero; // without its rules nothing reaches a flow any more
        int open = gateways.Sum(g => g.Flows);
        if (open > 0) CommandLine.Complain($"keepalive gateway: stopping; {open} flow(s) have {Duration.Format(drain)} to end, a second signal ends them at once");
        int[] reset = await Task.WhenAll(gateways.Select(g => g.StopAsync(drain, signals.Second))).ConfigureAwait(false);
        if (reset.Sum() > 0) CommandLine.Complain($"keepalive gateway: {reset.Sum()} flow(s) were reset");
        if (redirection is not null) await redirection.RemoveAsync().ConfigureAwait(false);
        await keeping.FinishAsync().ConfigureAwait(false);
        return isAsked ? CommandLine.Done : CommandLine.Failed;
    }

    /// <summary>Tells what is known of the paths to servers that are addresses; of names it is told when the first flow comes to them.</summary>
    public static void Announce(PathPolicies paths, IReadOnlyList<GatewayOptions> all, Action<FlowEvent> tell)
    {
        foreach (IPAddress address in all.Select(options => options.To.Address).OfType<IPAddress>().Distinct())
        {
            int port = all.First(options => address.Equals(options.To.Address)).To.Port;
            if (paths.Announce(new IPEndPoint(address, port)) is { } known) tell(new FlowEvent(0, MonotonicClock.Now, FlowEventKind.Notice, known) { Leg = Leg.Upstream });
        }
    }

    /// <summary>What the options mean, or everything that is wrong with them.</summary>
    public static bool TryRead(ParseResult parsed, out List<GatewayOptions> all, out Redirection? redirection, out List<string> faults)
    {
        all = [];
        faults = [];
        string[] listens = parsed.GetValue(Listen) ?? [], targets = parsed.GetValue(To) ?? [];
        redirection = Redirection.Read(parsed, listens, targets.Length, faults);
        if (Redirection.IsAsked(parsed)) listens = redirection?.Listens ?? [];
        else if (listens.Length + targets.Length == 0) faults.Add("nothing to do: give --listen and --to in pairs, or --transparent and --port");
        else if (listens.Length != targets.Length) faults.Add($"{listens.Length} --listen and {targets.Length} --to: give them in pairs");
        if (!FtpOptions.TryParseCommands(parsed.GetValue(FtpCommands)!, out var commands, out string? commandFault)) faults.Add($"--ftp-commands: {commandFault}");
        TimeSpan? hold = parsed.GetValue(Hold);
        if (hold is null && commands.Commands.Any(c => c is FtpKeepAliveCommand.Cwd or FtpKeepAliveCommand.List))
            faults.Add("--ftp-commands: cwd and list are for holding a session against the server's timers: say for how long with --hold, such as --hold 2h");
        string protocol = parsed.GetValue(ProtocolName)!;
        if (protocol != "auto" && ProtocolList.Find(protocol) is null)
            faults.Add($"--protocol: '{protocol}' {(ProtocolList.WhyNever(protocol) is { } why ? $"is not to be had: {why}" : $"is not known: give auto, {string.Join(", ", ProtocolList.All.Select(p => p.Name))}")}");

        faults.AddRange(LegArguments.Faults(parsed));
        faults.AddRange(TuneArguments.Faults(parsed));
        if (LegArguments.HasTls(parsed) && parsed.GetValue(PassiveRange) is not null) faults.Add("--passive-range is for sessions that the gateway cannot read: leave it out with --tls-upstream and --tls-downstream");
        string engine = parsed.GetValue(Engine)!;
        if (engine is not ("auto" or "portable")) faults.Add($"--engine: '{engine}' is not known: give auto or portable");

        for (int i = 0; i < (redirection is null ? Math.Min(listens.Length, targets.Length) : listens.Length); i++)
        {
            HostPort to = default;
            if (!HostPort.TryParseListen(listens[i], out IPEndPoint? listen, out string? listenFault)) faults.Add($"--listen: {listenFault}");
            if (redirection is null && !HostPort.TryParse(targets[i], out to, out string? toFault)) faults.Add($"--to: {toFault}");
            if (faults.Count > 0) continue;
            all.Add(new GatewayOptions
            {
                Listen = listen!,
                To = to,
                Protocol = protocol == "auto" ? (LegArguments.IsUpstream(parsed) ? ProtocolList.ForTlsPort(to.Port) : ProtocolList.ForPort(to.Port)) : ProtocolList.Find(protocol)!,
                Redirected = redirection is null ? null : port => protocol == "auto" ? ProtocolList.ForPort(port) : ProtocolList.Find(protocol)!,
                ProtocolOptions = new ProtocolOptions
                {
                    Ftp = new FtpOptions { Commands = commands.Commands, RandomOrder = commands.Random, IdleAgeMax = hold ?? FtpOptions.IdleAgeDefault },
                    Ldap = new LdapOptions { Probe = parsed.GetValue(LdapProbeOption), IdleAgeMax = hold ?? LdapOptions.IdleAgeDefault },
                    Http = new HttpOptions { Interim = parsed.GetValue(HttpInterim), PingEvery = parsed.GetValue(Http2PingEvery) },
                    Hold = hold,
                },
                Tcp = TuneArguments.ChoiceOf(parsed).Spec,
                UserTimeout = parsed.GetValue(UserTimeoutOption),
                Probe = parsed.GetValue(ProbeSpec),
                ClientProbe = parsed.GetValue(ClientProbe) ?? parsed.GetValue(ProbeSpec),
                MaxFlows = parsed.GetValue(MaxFlows),
                ConnectTimeout = parsed.GetValue(ConnectTimeout),
                DataPorts = parsed.GetValue(DataPorts),
                Engine = engine == "portable" ? RelayEngine.Portable : RelayEngine.Auto,
                PassiveRange = parsed.GetValue(PassiveRange),
            });
        }

        return faults.Count == 0;
    }

    /// <summary>Why a server cannot be dialled; null when all can be.</summary>
    public static async Task<string?> FirstUnreachableAsync(IEnumerable<GatewayOptions> all)
    {
        foreach (GatewayOptions options in all)
        {
            try
            {
                (await new Dialer(options.ConnectTimeout).DialAsync(options.To).ConfigureAwait(false)).CloseOrderly();
            }
            catch (DialException e)
            {
                return e.Message;
            }
        }

        return null;
    }

    /// <summary>Why it cannot listen, and what to do.</summary>
    public static string ListenFault(ListenException e) => e.Error switch
    {
        SocketError.AddressAlreadyInUse => $"cannot listen on {e.Address}: EADDRINUSE, something listens there already: choose another port, or stop it (ss -ltnp shows it)",
        SocketError.AccessDenied => $"cannot listen on {e.Address}: EACCES: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one",
        SocketError.AddressNotAvailable => $"cannot listen on {e.Address}: EADDRNOTAVAIL: this machine has no such address (ip addr shows them)",
        _ => e.Message,
    };

    private static bool HoldText(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(TimeSpan.FromSeconds(1), TimeSpan.FromDays(30))(text, out TimeSpan duration, out fault);
        value = good ? duration : null;
        return good;
    }

    private static bool OptionalSpec(string text, out KeepAliveSpec? value, out string? fault)
    {
        bool good = Texts.Spec(text, out KeepAliveSpec spec, out fault);
        value = good ? spec : null;
        return good;
    }
}
