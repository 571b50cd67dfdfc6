using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The command line as people meet it: one clear line and an exit code for every mistake.</summary>
public sealed class CommandTests
{
    private static readonly string Program = Path.Combine(Repository.Root, "keepalive");

    [Theory]
    [InlineData("gateway", "give --listen and --to in pairs, or --transparent and --port")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --to b:2", "1 --listen and 2 --to: give them in pairs")]
    [InlineData("gateway --listen nowhere --to a:1", "--listen: ")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:99999", "--to: ")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tcp 60:15s:4", "the order is idle:count:interval")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tcp automatic", "or 'auto' for what is known of each path")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tcp off --tune", "give --tcp some to begin with")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tune-floor 5s", "--tune-floor is for tuning: give it with --tune")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --tune --tune-floor 5ms", "'5ms' is not a duration from 1s to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --probe 0:0:0", "count 0 is outside 1 to 255")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --max-flows none", "'none' is not a whole number from 1 to")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --drain soon", "'soon' is not a duration")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --data-ports 5-2", "'5-2' is not a range of ports")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --user-timeout never", "or 'auto' for the detection time")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --protocol gopher", "'gopher' is not known: give auto, tcp, ftp")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --protocol bgp", "'bgp' is not to be had: a KEEPALIVE is a router's own proof of life")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --ftp-commands dance", "'dance' is not a keepalive command")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --ftp-commands list", "say for how long with --hold")]
    [InlineData("gateway --transparent", "say which connections with --port")]
    [InlineData("gateway --transparent --port 21 --to a:21", "--transparent goes without --to")]
    [InlineData("gateway --transparent --port 21,none", "'none' is not a port from 1 to 65535")]
    [InlineData("gateway --transparent --port 21 --listen 0.0.0.0:2121", "give 127.0.0.1:PORT, [::1]:PORT, or none")]
    [InlineData("gateway --transparent --port 21 --listen 127.0.0.1:1 --listen 127.0.0.1:2", "one address for IPv4 and one for IPv6")]
    [InlineData("gateway --transparent --port 21 --passive-range 5000-5009", "--transparent goes without --passive-range")]
    [InlineData("gateway --transparent --port 21 --tls-upstream", "--transparent goes without --tls-upstream")]
    [InlineData("gateway --transparent --port 21 --proxy-out v1", "--transparent goes without --proxy-out")]
    [InlineData("gateway --transparent --port 21 --user a;b", "'a;b' is neither a user's name nor a number")]
    [InlineData("gateway --transparent --port 21 --cgroup /nowhere", "'/nowhere' is not a cgroup: there is no folder")]
    [InlineData("gateway --listen 127.0.0.1:0 --to a:1 --dry-run", "--dry-run goes with --transparent alone")]
    [InlineData("explain 60:4", "has 2 parts, not 3")]
    [InlineData("explain 60:4:15 --as klingon", "'klingon' is not known")]
    [InlineData("explain --for klingon", "'klingon' is neither a known middlebox nor a duration")]
    [InlineData("simulate off", "'off' sends no probe")]
    [InlineData("reflect --alive 3:15", "--alive is for SSH: give --ssh as well")]
    [InlineData("reflect --ssh --token /dev/null", "--token is not for SSH")]
    [InlineData("measure", "give the HOST:PORT of a reflector")]
    [InlineData("measure redis://u:secret@a", "a URL goes with --against")]
    [InlineData("measure a:1 --against redis://a", "not both")]
    [InlineData("measure a:1 --tls-name a", "--tls-name is for --against")]
    [InlineData("measure a:1 --max 1s", "'1s' is not a duration from 10s")]
    [InlineData("reflect --ssh --alive 3", "'3' is not COUNT:INTERVAL")]
    [InlineData("reflect --ssh --alive 0:5", "count 0 is outside 1 to 255")]
    [InlineData("reflect --ssh --alive-name x", "give proftpd or openssh")]
    [InlineData("dance", "Unrecognized command")]
    public async Task A_wrong_option_is_named_and_exits_with_2(string arguments, string said)
    {
        (int code, string output) = await RunAsync(arguments.Split(' '));
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.Equal(2, code);
    }

    [Fact]
    public async Task What_cannot_be_done_is_named_and_exits_with_1()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        (int code, string output) = await RunAsync("gateway", "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{port}");
        Assert.Equal((1, $"keepalive gateway: cannot connect to 127.0.0.1:{port}: 127.0.0.1: Connection refused (--no-check starts all the same)"), (code, output));

        taken.Listen();
        (code, output) = await RunAsync("gateway", "--listen", $"127.0.0.1:{port}", "--to", $"127.0.0.1:{port}");
        Assert.Equal((1, $"keepalive gateway: cannot listen on 127.0.0.1:{port}: EADDRINUSE, something listens there already: choose another port, or stop it (ss -ltnp shows it)"), (code, output));

        (code, output) = await RunAsync("gateway", "--listen", "198.51.100.1:2121", "--to", $"127.0.0.1:{port}");
        Assert.Equal(1, code);
        Assert.Contains("EADDRNOTAVAIL: this machine has no such address", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_below_1024_needs_a_right()
    {
        using var work = new WorkFolder();
        string program = OrdinaryUser.Program(work);
        Assert.SkipUnless(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start").Trim() == "1024", "this machine lets everybody have low ports");
        await using ChildProcess nobody = await ChildProcess.StartAsync(
            [.. OrdinaryUser.Prefix, program, "gateway", "--listen", "127.0.0.1:21", "--to", "127.0.0.1:1", "--no-check"]);
        await nobody.WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("EACCES: ports below 1024 need root or CAP_NET_BIND_SERVICE", nobody.Transcript, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stops_on_a_signal_when_its_flows_end_and_at_once_on_a_second(bool twice)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            [Program, "gateway", "--listen", "127.0.0.1:0", "--to", $"localhost:{((IPEndPoint)server.LocalEndPoint!).Port}", "--no-check", "--json", "--drain", "10m"]);
        JsonElement listening = Read(await gateway.WaitForLineAsync(l => l.Contains("listening", StringComparison.Ordinal), Bench.Patience));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPEndPoint.Parse(listening.GetProperty("listen").GetString()!));
        JsonElement opened = Read(await gateway.WaitForLineAsync(l => l.Contains("\"opened\"", StringComparison.Ordinal), Bench.Patience));
        Assert.True(opened.GetProperty("flow").GetInt64() > 0 && DateTimeOffset.TryParse(opened.GetProperty("at").GetString(), CultureInfo.InvariantCulture, out _));
        await gateway.WaitForLineAsync(l => l.Contains("\"connected\"", StringComparison.Ordinal), Bench.Patience);

        await gateway.SignalAsync("TERM");
        await gateway.WaitForLineAsync(l => l.Contains("stopping; 1 flow(s) have 10m0s to end", StringComparison.Ordinal), Bench.Patience);
        Assert.True(gateway.IsRunning);
        if (twice) await gateway.SignalAsync("TERM");
        else client.Dispose();
        if (!twice) (await server.AcceptAsync().WaitAsync(Bench.Patience)).Dispose();
        await gateway.WaitForExitAsync(Bench.Patience);
        Assert.Equal(0, gateway.ExitCode);
        Assert.Equal(twice, gateway.Transcript.Contains("1 flow(s) were reset", StringComparison.Ordinal));
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        await using ChildProcess process = await ChildProcess.StartAsync([Program, .. arguments]);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, process.Transcript);
    }

    private static JsonElement Read(string line) => JsonDocument.Parse(line).RootElement;
}
