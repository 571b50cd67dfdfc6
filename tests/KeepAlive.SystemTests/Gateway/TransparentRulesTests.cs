using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The rules of a transparent gateway from its start to its end, whichever that is.</summary>
public sealed partial class TransparentRulesTests
{
    private static readonly string Program = Path.Combine(Repository.Root, "keepalive");

    [Theory]
    [InlineData("TERM", true)]
    [InlineData("INT", true)]
    [InlineData("TERM", false)]
    public async Task A_signal_takes_the_rules_first_and_the_table_when_what_was_redirected_has_ended(string signal, bool isOwned)
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        using var work = new WorkFolder();
        await using GatewayProcess gateway = await StartAsync(lab, work, isOwned);
        (Line client, Line far) = await lab.PairAsync();
        // As a terminal and an init system do: to all its processes.
        foreach (string pid in await ProcessesAsync(gateway)) await ChildProcess.RunAsync(["kill", $"-{signal}", pid]);
        await gateway.WaitForTextAsync("stopping; 1 flow(s)");
        Assert.False(await lab.IsRedirectedAsync());
        Assert.DoesNotContain("redirect to", await lab.RulesAsync(), StringComparison.Ordinal);
        await DataEnds.TalkAsync(client, far);
        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.Empty(await lab.TablesAsync());
        Assert.Empty(Directory.GetFileSystemEntries(work.Folder("home"))); // nft would keep a history of what it is told
    }

    [Fact]
    public async Task The_table_goes_with_a_gateway_that_is_killed_and_another_s_stays()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess living = await lab.StartAsync();
        await using GatewayProcess killed = await lab.StartAsync(); // the last to come is the first that is asked
        Assert.Equal(2, (await lab.TablesAsync()).Length);
        (Line client, Line far) = await lab.PairAsync();
        await killed.WaitForAsync("connected", 1, Bench.Patience);
        await killed.SignalAsync("KILL");
        await killed.ExitCodeAsync();
        Assert.Equal((SocketError.Success, SocketError.Success), (await client.EndAsync(), await far.EndAsync()));
        Assert.Contains($"-{living.Id}-", Assert.Single(await lab.TablesAsync(1)), StringComparison.Ordinal);
        Assert.True(await lab.IsRedirectedAsync());
        await living.WaitForAsync("closed", 1, Bench.Patience);
        Assert.Equal((1, 1), (living.Count("opened"), living.Count("connected")));
    }

    [Fact]
    public async Task Where_no_table_can_be_owned_the_next_gateway_removes_what_a_killed_one_left_and_nothing_else()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        using var work = new WorkFolder();
        await lab.Network.Client.RunAsync(["nft", "add table inet keepalive-of-somebody; add table inet filter"]);
        await using GatewayProcess living = await StartAsync(lab, work, isOwned: false);
        await using GatewayProcess killed = await StartAsync(lab, work, isOwned: false);
        await killed.SignalAsync("KILL");
        await killed.ExitCodeAsync();
        Assert.Contains(await lab.TablesAsync(), table => table.Contains($"-{killed.Id}-", StringComparison.Ordinal));
        await using GatewayProcess next = await lab.StartAsync();
        string[] left = await lab.TablesAsync();
        Assert.Equal(4, left.Length);
        Assert.Contains("keepalive-of-somebody", left);
        Assert.Contains("filter", left);
        foreach (GatewayProcess gateway in (GatewayProcess[])[living, next])
            Assert.Contains(left, table => table.Contains($"-{gateway.Id}-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_firewall_that_is_loaded_anew_does_not_take_the_rules()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync();
        await lab.Network.Client.RunAsync(["nft", "flush ruleset"]);
        Assert.True(await lab.IsRedirectedAsync());
    }

    [Fact]
    public async Task A_gateway_whose_rules_are_gone_says_so_and_ends()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync();
        string nft = (await ProcessesAsync(gateway)).Single(pid => pid != $"{gateway.Id}");
        await ChildProcess.RunAsync(["kill", "-KILL", nft]);
        Assert.Equal(1, await gateway.ExitCodeAsync());
        Assert.Contains("its rules are gone", gateway.Transcript, StringComparison.Ordinal);
        Assert.False(await lab.IsRedirectedAsync());
    }

    [Theory]
    [InlineData("--user nosuchuser", "nft refused the rules: User does not exist: give --user")]
    [InlineData("--listen 127.0.0.1:PORT", "cannot listen on 127.0.0.1:PORT: EADDRINUSE")]
    public async Task A_start_that_fails_leaves_nothing(string options, string told)
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        string port = $"{lab.Port}";
        using Socket taken = await lab.Network.Client.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, lab.Port));
            socket.Listen();
            return socket;
        });
        (int code, string said) = await RunAsync(lab, [Program, "gateway", "--transparent", "--port", port, .. options.Replace("PORT", port, StringComparison.Ordinal).Split(' ')]);
        Assert.Equal(1, code);
        Assert.StartsWith($"keepalive gateway: {told.Replace("PORT", port, StringComparison.Ordinal)}", said, StringComparison.Ordinal);
        Assert.Empty(await lab.TablesAsync());
    }

    [Fact]
    public async Task A_dry_run_of_an_ordinary_user_prints_what_is_loaded_and_loads_nothing()
    {
        using var work = new WorkFolder();
        string ordinary = OrdinaryUser.Program(work);
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        string[] options = ["--transparent", "--port", $"{lab.Port},21", "--listen", "127.0.0.1:4001", "--listen", "[::1]:4002", "--user", "nobody"];
        (int code, string text) = await RunAsync(lab, [.. OrdinaryUser.Prefix, ordinary, "gateway", .. options, "--dry-run"]);
        Assert.Equal(0, code);
        Assert.Empty(await lab.TablesAsync());

        string expected;
        await using (GatewayProcess gateway = await GatewayProcess.StartAsync(lab.Network.Client, options))
        {
            expected = await lab.RulesAsync();
            Assert.Equal(0, await gateway.StopAsync());
        }

        // Owned, it would go with the nft that loads it here.
        await lab.Network.Client.RunAsync(["nft", "-f", "-"], text.Replace("flags owner", "", StringComparison.Ordinal));
        Assert.Contains("flags owner", text, StringComparison.Ordinal);
        Assert.Equal(Bare(expected), Bare(await lab.RulesAsync()));

        // The rules alone: not whose they are.
        static string Bare(string rules) => Owner().Replace(rules, "");
    }

    [Fact]
    public async Task Without_rights_it_says_which_are_missing()
    {
        using var work = new WorkFolder();
        string ordinary = OrdinaryUser.Program(work);
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        (int code, string said) = await RunAsync(lab, [.. OrdinaryUser.Prefix, ordinary, "gateway", "--transparent", "--port", "21"]);
        Assert.Equal(1, code);
        Assert.StartsWith("keepalive gateway: setsockopt(SO_MARK): EPERM: redirecting connections needs root, or CAP_NET_ADMIN", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CAP_NET_ADMIN_alone_is_enough()
    {
        using var work = new WorkFolder();
        string ordinary = OrdinaryUser.Program(work);
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using ChildProcess gateway = await lab.Network.Client.StartAsync(
            ["setpriv", $"--reuid={OrdinaryUser.Id}", $"--regid={OrdinaryUser.Id}", "--clear-groups", "--inh-caps=-all,+net_admin", "--ambient-caps=+net_admin", "--bounding-set=-all,+net_admin", "--",
            ordinary, "gateway", "--transparent", "--port", $"{lab.Port}", "--protocol", "tcp"]);
        await gateway.WaitForLineAsync(line => line.StartsWith("listening on 127.0.0.1:", StringComparison.Ordinal), Bench.Patience);
        Assert.True(await lab.IsRedirectedAsync());
    }

    [Fact]
    public async Task A_machine_without_IPv6_has_the_rules_of_IPv4()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await lab.Network.Client.RunAsync(["sh", "-ec", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"]);
        await using GatewayProcess gateway = await lab.StartAsync();
        Assert.True(await lab.IsRedirectedAsync());
        Assert.DoesNotContain("ipv6", await lab.RulesAsync(), StringComparison.Ordinal);
        Assert.Equal(1, gateway.Count("listening"));
    }

    // Without an nft that can hold a table: as old ones, and those built without a line editor.
    private static async Task<GatewayProcess> StartAsync(TransparentLab lab, WorkFolder work, bool isOwned)
    {
        string[] options = ["--transparent", "--port", $"{lab.Port}", "--protocol", "tcp"];
        if (isOwned) return await GatewayProcess.StartAsync(lab.Network.Client, options, new Dictionary<string, string> { ["HOME"] = work.Folder("home") });
        string folder = work.Folder("old"), nft = Path.Combine(folder, "nft"), path = Environment.GetEnvironmentVariable("PATH")!;
        if (!File.Exists(nft))
        {
            await File.WriteAllTextAsync(nft, $"#!/bin/sh\n[ \"$1\" = -i ] && {{ echo 'Error: interactive CLI not supported in this build' >&2; exit 1; }}\nPATH='{path}:/usr/sbin'\nexec nft \"$@\"\n");
            File.SetUnixFileMode(nft, Leftovers.OpenFolder);
        }

        GatewayProcess gateway = await GatewayProcess.StartAsync(lab.Network.Client, options, new Dictionary<string, string> { ["PATH"] = $"{folder}:{path}" });
        await gateway.WaitForTextAsync("no tables with an owner");
        return gateway;
    }

    private static async Task<string[]> ProcessesAsync(GatewayProcess gateway)
    {
        string children = await File.ReadAllTextAsync($"/proc/{gateway.Id}/task/{gateway.Id}/children");
        foreach (string task in Directory.GetDirectories($"/proc/{gateway.Id}/task")) children += " " + await File.ReadAllTextAsync($"{task}/children");
        return [$"{gateway.Id}", .. children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()];
    }

    private static async Task<(int Code, string Said)> RunAsync(TransparentLab lab, IReadOnlyList<string> command)
    {
        await using ChildProcess process = await lab.Network.Client.StartAsync(command);
        await process.WaitForExitAsync(Bench.Patience);
        return (process.ExitCode, process.Transcript);
    }

    [GeneratedRegex(@"keepalive-[0-9]+-[0-9]+-[0-9]+| # progname nft|\tflags owner\n\n?")]
    private static partial Regex Owner();
}
