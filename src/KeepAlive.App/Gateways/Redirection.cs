using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KeepAlive.Gateway.Transparent;
using KeepAlive.Sockets;

namespace KeepAlive.App.Gateways;

/// <summary><c>--transparent</c> and the options beside it: what they ask for, and the rules while they are in force.</summary>
internal sealed partial class Redirection
{
    private const int PortsMax = 100;

    private static readonly Option<bool> Transparent = new("--transparent") { Description = "Redirect this machine's own connections to --port here, wherever they go (Linux, root); no --to" };
    private static readonly Option<string?> PortList = new("--port") { Description = "With --transparent: the servers' ports, such as 21,389,5432", HelpName = "PORT,..." };
    private static readonly Option<string?> User = new("--user") { Description = "With --transparent: only connections of this user's programs", HelpName = "NAME|UID" };
    private static readonly Option<string?> Cgroup = new("--cgroup") { Description = "With --transparent: only connections of programs in this cgroup (v2), such as system.slice", HelpName = "PATH" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "With --transparent: print the rules of nftables, and do nothing" };

    private readonly RedirectRules _rules;
    private RedirectTable? _table;

    private Redirection(RedirectRules rules, string[] listens, bool isDryRun) => (_rules, Listens, IsDryRun) = (rules, listens, isDryRun);

    public static Option[] Options => [Transparent, PortList, User, Cgroup, DryRun];

    /// <summary>Where the connections are redirected to: one address of loopback for each version of IP there is.</summary>
    public string[] Listens { get; }

    public bool IsDryRun { get; }

    /// <summary>What stands for the server.</summary>
    public string To => $"port {string.Join(", ", _rules.Ports)} anywhere";

    /// <summary>Done when the rules are gone without our doing.</summary>
    public Task Lost => _table?.Lost ?? Task.CompletedTask;

    public static bool IsAsked(ParseResult parsed) => parsed.GetValue(Transparent);

    /// <summary>Null when nothing is to be redirected, or some of it is not right: then there is a fault.</summary>
    public static Redirection? Read(ParseResult parsed, string[] listens, int targets, List<string> faults)
    {
        if (!IsAsked(parsed))
        {
            foreach (Option option in Options.Where(o => parsed.GetResult(o) is { Implicit: false })) faults.Add($"{option.Name} goes with --transparent alone");
            return null;
        }

        int before = faults.Count;
        if (!OperatingSystem.IsLinux()) faults.Add("--transparent: nftables, which redirects, is Linux's alone: give --listen and --to, and let the programs dial the gateway");
        if (targets > 0) faults.Add("--transparent goes without --to: each connection goes where its program dialled");
        foreach (string unfit in (string[])["--passive-range", "--data-ports"])
            if (parsed.GetResult(unfit) is OptionResult { Implicit: false }) faults.Add($"--transparent goes without {unfit}: data connections go straight to the server");
        foreach (Option unfit in LegArguments.All.Where(o => parsed.GetResult(o) is { Implicit: false }))
            faults.Add($"--transparent goes without {unfit.Name}: what its programs and their servers say first is theirs");
        int[] ports = ReadPorts(parsed.GetValue(PortList), faults);
        string? user = parsed.GetValue(User);
        if (user is not null && !UserText().IsMatch(user)) faults.Add($"--user: '{user}' is neither a user's name nor a number");
        RedirectCgroup? cgroup = null;
        if (parsed.GetValue(Cgroup) is { } path && !RedirectCgroup.TryFind(path, out cgroup, out string? cgroupFault)) faults.Add($"--cgroup: {cgroupFault}");
        string[] all = ReadListens(listens, faults);
        return faults.Count > before ? null : new Redirection(new RedirectRules { Ports = ports, User = user, Cgroup = cgroup }, all, parsed.GetValue(DryRun));
    }

    /// <summary>The rules as they would be loaded; a port that the system would choose is one it has free now.</summary>
    public string Text() => RulesFor(Listens.Select(IPEndPoint.Parse).Select(asked =>
    {
        if (asked.Port != 0) return asked;
        using var socket = new Socket(asked.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(asked);
        return (IPEndPoint)socket.LocalEndPoint!;
    })).ToText(RedirectTable.Name, isOwned: true);

    /// <summary>From now on connections are redirected.</summary>
    /// <exception cref="RedirectException">They cannot be.</exception>
    public async Task BeginAsync(IEnumerable<IPEndPoint> listening)
    {
        _table = await RedirectTable.AddAsync(RulesFor(listening)).ConfigureAwait(false);
        if (!_table.IsOwned) CommandLine.Complain("keepalive gateway: nft or the kernel here has no tables with an owner: if this process is killed, its rules stay until a gateway is started again, or for 'nft delete table inet " + RedirectTable.Name + "'");
    }

    /// <summary>New connections go straight from now on.</summary>
    public async Task LetGoAsync()
    {
        if (_table is null) return;
        if (_table.Lost.IsCompleted) CommandLine.Complain("keepalive gateway: its rules are gone: nft, which held them, was ended; connections go straight, start it again");
        else await TryAsync(_table.LetGoAsync).ConfigureAwait(false);
    }

    /// <summary>Removes what is left of the rules.</summary>
    public async Task RemoveAsync()
    {
        if (_table is not null) await TryAsync(async () => await _table.DisposeAsync().ConfigureAwait(false)).ConfigureAwait(false);
    }

    private RedirectRules RulesFor(IEnumerable<IPEndPoint> listening)
    {
        IPEndPoint[] all = [.. listening];
        return _rules with
        {
            IPv4 = all.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)?.Port,
            IPv6 = all.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetworkV6)?.Port,
        };
    }

    private static async Task TryAsync(Func<Task> act)
    {
        try
        {
            await act().ConfigureAwait(false);
        }
        catch (RedirectException e)
        {
            CommandLine.Complain($"keepalive gateway: {e.Message}: 'nft delete table inet {RedirectTable.Name}' removes the rules");
        }
    }

    private static int[] ReadPorts(string? text, List<string> faults)
    {
        if (text is null)
        {
            faults.Add("--transparent: say which connections with --port, such as --port 21,389,5432");
            return [];
        }

        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        var ports = new List<int>();
        foreach (string part in parts)
        {
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= HostPort.PortMax) ports.Add(port);
            else faults.Add($"--port: '{part}' is not a port from 1 to {HostPort.PortMax}: give them with commas between, such as 21,389,5432");
        }

        if (parts.Length > PortsMax) faults.Add($"--port: {parts.Length} ports are more than {PortsMax}");
        return [.. ports.Distinct().Order()];
    }

    // redirect leads to 127.0.0.1 and ::1, nowhere else.
    private static string[] ReadListens(string[] asked, List<string> faults)
    {
        string[] others = [.. asked.Where(text => !HostPort.TryParseListen(text, out IPEndPoint? address, out _) || (!address.Address.Equals(IPAddress.Loopback) && !address.Address.Equals(IPAddress.IPv6Loopback)))];
        foreach (string other in others) faults.Add($"--listen: '{other}' is not where connections can be redirected to: give 127.0.0.1:PORT, [::1]:PORT, or none");
        if (others.Length > 0) return [];
        IPEndPoint[] given = [.. asked.Select(text => HostPort.TryParseListen(text, out IPEndPoint? address, out _) ? address : null!)];
        if (given.Length != given.DistinctBy(a => a.AddressFamily).Count()) faults.Add("--listen: one address for IPv4 and one for IPv6 are all that --transparent has a use for");
        IEnumerable<IPAddress> rest = ((IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback]).Where(address => given.All(a => a.AddressFamily != address.AddressFamily) && IsHere(address));
        string[] all = [.. given.Concat(rest.Select(address => new IPEndPoint(address, 0))).Select(a => a.ToString())];
        if (all.Length == 0) faults.Add("--transparent: neither 127.0.0.1 nor ::1 is here to redirect to: ip link set lo up");
        return all;
    }

    // A machine may have no IPv6.
    private static bool IsHere(IPAddress address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // What useradd(8) allows, and what directories have beside it (DOMAIN\user has a quote's worth of trouble for nft: by number).
    [GeneratedRegex(@"^([0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.@-]{0,255}\$?)$")]
    private static partial Regex UserText();
}
