using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Settings;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary><c>keepalive apply</c> on programs that run already.</summary>
public sealed class ApplyTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Every_socket_of_a_process_and_those_that_will_be_accepted()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        // Keepalive on with the defaults: its timer is armed for two hours.
        await using Holder holder = await Holder.StartAsync(lab.Client, [], 3, "1:9:1");
        Assert.Equal(["off", "off", "off", "7200:9:75 0", "7200:9:75 0", "7200:9:75 0"], await SpelledAsync(lab, holder));

        string said = await lab.Client.RunAsync([Program, "apply", "60:4:15", "--pid", $"{holder.Pid}"]);
        Assert.Equal(3, Count(said, " off -> 60:4:15 (user timeout 2m0s)") - Count(said, "listening"));
        Assert.Equal(3, Count(said, " 7200:9:75 -> 60:4:15 (user timeout 2m0s)"));
        Assert.Contains("7 changed", said, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Repeat("60:4:15 120000", 6), await SpelledAsync(lab, holder));
        foreach (JsonElement connection in await Holder.ListAsync(lab.Client, "--pid", $"{holder.Pid}"))
            Assert.InRange(connection.GetProperty("timerMs").GetInt64(), 1, 61_000);
        // The kernel's own tool: armed for a minute, and for those of two hours as well.
        string[] timers = (await lab.Client.RunAsync(["ss", "-tnoH", "state", "established"])).Split('\n');
        Assert.All(timers, t => Assert.Matches(@"timer:\(keepalive,([0-9]|[0-5][0-9])(\.[0-9]+)?sec|timer:\(keepalive,(1min|[0-9]+ms)", t));

        // One that comes later inherits from the listener.
        await using ChildProcess late = await lab.Client.StartAsync(["/usr/bin/env", "python3", "-c", $"import socket, signal; s = socket.create_connection(('127.0.0.1', {holder.Port})); print('up', flush=True); signal.pause()"]);
        await late.WaitForLineAsync(l => l == "up", Patience);
        Assert.Equal(Enumerable.Repeat("60:4:15 120000", 7), await SpelledAsync(lab, holder, 7));

        Assert.Contains("8 had it already", await lab.Client.RunAsync([Program, "apply", "60:4:15", "--pid", $"{holder.Pid}"]), StringComparison.Ordinal);
        await lab.Client.RunAsync([Program, "apply", "off", "--pid", $"{holder.Pid}"]);
        Assert.Equal(Enumerable.Repeat("off", 7), await SpelledAsync(lab, holder, 7));
    }

    [Fact]
    public async Task Chosen_by_port_peer_and_state_and_only_shown()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder one = await Holder.StartAsync(lab.Client, [], 1), other = await Holder.StartAsync(lab.Client, [], 1);
        Assert.Contains("3 would be changed", await lab.Client.RunAsync([Program, "apply", "30:3:5", "--port", $"{one.Port}", "--netns", "own", "--dry-run"]), StringComparison.Ordinal);
        Assert.Equal(["off", "off"], await SpelledAsync(lab, one));
        Assert.Contains("2 changed", await lab.Client.RunAsync([Program, "apply", "30:3:5", "--port", $"{one.Port}", "--netns", "own", "--established", "--user-timeout", "off"]), StringComparison.Ordinal);
        Assert.Equal(["30:3:5 0", "30:3:5 0"], await SpelledAsync(lab, one));
        Assert.Equal(["off"], (await Holder.ListAsync(lab.Client, "--pid", $"{one.Pid}", "--state", "listening")).Select(Holder.Spell));
        Assert.Equal(["off", "off"], await SpelledAsync(lab, other));

        await RefusesAsync(lab, 1, "no such connection", "60:4:15", "--remote", "198.51.100.0/24");
        Assert.Contains("4 changed", await lab.Client.RunAsync([Program, "apply", "60:4:15", "--remote", "127.0.0.0/8", "--netns", "own"]), StringComparison.Ordinal);
        await RefusesAsync(lab, 2, "say which sockets: --pid N, --port N, --remote CIDR, or --all", "60:4:15");
        await RefusesAsync(lab, 2, "'127.0.0.1/33' is not a network", "60:4:15", "--remote", "127.0.0.1/33");
        await RefusesAsync(lab, 2, "exclude each other", "60:4:15", "--all", "--watch", "--dry-run");
    }

    [Fact]
    public async Task An_ordinary_user_changes_its_own_and_is_told_of_the_others()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string program = OrdinaryUser.Program(work);
        await using Holder own = await Holder.StartAsync(lab.Client, OrdinaryUser.Prefix, 2), roots = await Holder.StartAsync(lab.Client, [], 1);
        await using ChildProcess apply = await lab.Client.StartAsync([.. OrdinaryUser.Prefix, program, "apply", "60:4:15", "--all"]);
        await apply.WaitForExitAsync(Patience);
        Assert.Equal((1, true), (apply.ExitCode, apply.Transcript.Contains("5 changed, 3 could not be changed", StringComparison.Ordinal)));
        Assert.Contains("root may change it", apply.Transcript, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Repeat("60:4:15 120000", 4), await SpelledAsync(lab, own, 4));
        Assert.Equal(["off", "off"], await SpelledAsync(lab, roots));
    }

    [Fact]
    public async Task Watching_changes_what_comes_to_be_until_it_is_stopped()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder first = await Holder.StartAsync(lab.Client, [], 1);
        await using ChildProcess watch = await lab.Client.StartAsync([Program, "apply", "60:4:15", "--all", "--watch", "--netns", "own"]);
        await watch.WaitForLineAsync(l => l.Contains("->", StringComparison.Ordinal), Patience);
        await using Holder second = await Holder.StartAsync(lab.Client, [], 1);
        await watch.WaitForLineAsync(l => l.Contains($":{second.Port}  listening", StringComparison.Ordinal), Patience);
        Assert.Equal(["60:4:15 120000", "60:4:15 120000"], await SpelledAsync(lab, second));
        await watch.SignalAsync("INT");
        await watch.WaitForExitAsync(Patience);
        Assert.Equal((0, 6), (watch.ExitCode, Count(watch.Transcript, "->"))); // each socket once
    }

    [Fact]
    public async Task A_gateway_of_ours_is_left_alone()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder server = await Holder.StartAsync(lab.Client, [], 0);
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(lab.Client, "127.0.0.1", server.Port, "--protocol", "tcp", "--tcp", "50:3:7", "--no-check");
        using Socket client = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port);
        await gateway.WaitForAsync("connected", 1, Patience);
        string said = await lab.Client.RunAsync([Program, "apply", "60:4:15", "--all", "--netns", "own"]);
        Assert.Contains("of keepalive itself left alone", said, StringComparison.Ordinal);
        await RefusesAsync(lab, 1, "whose gateway sets its own (--tcp)", "60:4:15", "--pid", $"{gateway.Id}");
        Assert.All(await Holder.ListAsync(lab.Client, "--pid", $"{gateway.Id}"), c => Assert.StartsWith("50:3:7 ", Holder.Spell(c), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(OptionSource.BpfIterator)]
    [InlineData(OptionSource.Pidfd)]
    public async Task A_socket_that_ends_meanwhile_is_counted_as_vanished(OptionSource source)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess || source == OptionSource.Pidfd, "needs root: to load a BPF program");
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        using Line stays = await DataEnds.DialAsync(DataEnds.PortOf(listener)), ends = await DataEnds.DialAsync(DataEnds.PortOf(listener));
        var port = (IPEndPoint)ends.Socket.LocalEndPoint!;
        var kept = (IPEndPoint)stays.Socket.LocalEndPoint!;
        List<Connection> chosen = [.. ConnectionReader.Read(new ConnectionScope { Pid = Environment.ProcessId }).Connections.Where(c => c.Socket.Local.Equals(port) || c.Socket.Local.Equals(kept))];
        Assert.Equal(2, chosen.Count);
        ends.Socket.Reset();
        var settings = SocketSettings.Of(KeepAliveSpec.Parse("33:3:3"), UserTimeout.Derived);
        Dictionary<IPEndPoint, ChangeKind> changes = ConnectionSetter.Apply(settings, chosen, source).ToDictionary(c => c.Connection.Socket.Local, c => c.Kind);
        Assert.Equal((ChangeKind.Vanished, ChangeKind.Changed), (changes[port], changes[kept]));
        Assert.Equal(TimeSpan.FromSeconds(33), KernelKeepAlive.Read(stays.Socket).Idle);
    }

    // In one order, whichever the kernel tells them in.
    private static async Task<string[]> SpelledAsync(NetworkLab lab, Holder holder, int most = 6) =>
        [.. (await Holder.ListAsync(lab.Client, "--pid", $"{holder.Pid}")).Select(Holder.Spell).Order(StringComparer.Ordinal).Reverse().OrderBy(s => s != "off").Take(most)];

    private static async Task RefusesAsync(NetworkLab lab, int code, string because, params string[] arguments)
    {
        await using ChildProcess apply = await lab.Client.StartAsync([Program, "apply", .. arguments, "--netns", "own"]);
        await apply.WaitForExitAsync(Patience);
        Assert.Equal((code, true), (apply.ExitCode, apply.Transcript.Contains(because, StringComparison.Ordinal)));
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
