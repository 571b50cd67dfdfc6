using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Fleet;

/// <summary><c>keepalive fleet</c> with a real etcd, and with daemons that follow.</summary>
[Collection(FleetLab.Collection)]
public sealed class FleetCommandTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string First = "{\n  // the first one\n  \"gateways\": [ { \"name\": \"*\", \"tcp\": \"60:4:15\" } ],\n}";

    [Fact]
    public async Task A_policy_is_set_read_back_replaced_and_set_again()
    {
        using var work = new WorkFolder();
        await using EtcdCluster etcd = await EtcdCluster.StartAsync();
        await File.WriteAllTextAsync(work.File("first.json"), First);
        await File.WriteAllTextAsync(work.File("bad.json"), "{ \"gateways\": [ { \"tcp\": \"60:4\" } ],\n  \"more\": 1 }");

        (int code, string said) = await RunAsync(etcd, "policy", "get");
        Assert.Equal((1, "keepalive fleet: no policy is in force in the fleet 'default': 'keepalive fleet policy set FILE' sets one"), (code, said));
        (code, said) = await RunAsync(etcd, "policy", "set", work.File("bad.json"));
        Assert.True(code == 1 && said.Contains("bad.json:1:", StringComparison.Ordinal) && said.Contains("bad.json:2:3: 'more'", StringComparison.Ordinal) && said.EndsWith("2 faults in " + work.File("bad.json") + ": nothing is set", StringComparison.Ordinal), said);
        Assert.Equal((0, "policy 1 is in force"), await RunAsync(etcd, "policy", "set", work.File("first.json"), "--comment", "to begin with"));
        Assert.Equal((0, "policy 2 is in force"), await RunAsync(etcd.Endpoints, ["policy", "set", "-"], input: "{}"));

        // Byte for byte, so that it can be edited and set again.
        Assert.Equal(First, await TextAsync(work, etcd, "policy", "get", "1"));
        (_, said) = await RunAsync(etcd, "policy", "get", "1");
        Assert.Contains("policy 1, set by ", said, StringComparison.Ordinal);
        Assert.Contains(": to begin with (set for all)", said, StringComparison.Ordinal);
        JsonElement json = await JsonAsync(work, etcd, "policy", "get", "--json");
        Assert.Equal((2, "{}"), (json.GetProperty("policy").GetProperty("number").GetInt32(), json.GetProperty("policy").GetProperty("text").GetString()));

        Assert.Equal((0, "policy 3 is in force: back to policy 1"), await RunAsync(etcd, "policy", "rollback"));
        Assert.Equal(First, await TextAsync(work, etcd, "policy", "get"));
        JsonElement history = await JsonAsync(work, etcd, "policy", "history", "--json", "--last", "2");
        Assert.Equal([3, 2], history.GetProperty("history").EnumerateArray().Select(r => r.GetProperty("number").GetInt32()));
        (_, said) = await RunAsync(etcd, "policy", "history");
        Assert.Equal(4, said.Split('\n').Length);
        (code, said) = await RunAsync(etcd, "policy", "rollback", "9");
        Assert.Equal((1, "keepalive fleet: there is no policy 9: 'keepalive fleet policy history' lists them"), (code, said));
    }

    [Fact]
    public async Task Two_machines_take_a_policy_one_of_them_first_and_one_that_they_refuse_goes_back()
    {
        using var work = new WorkFolder();
        await using EtcdCluster etcd = await EtcdCluster.StartAsync();
        await using FleetDaemon one = await FleetDaemon.StartAsync(etcd, "one", Gateway(1));
        await using FleetDaemon two = await FleetDaemon.StartAsync(etcd, "two", Gateway(1));
        await File.WriteAllTextAsync(work.File("p.json"), First);

        (int code, string said) = await RunAsync(etcd, "policy", "set", work.File("p.json"), "--wait");
        Assert.True(code == 0 && said.Contains("policy 1 is in force on 2 of 2 machines", StringComparison.Ordinal), said);
        (code, said) = await RunAsync(etcd, "policy", "set", work.File("p.json"), "--canary", "5%", "--observe", "1s", "--wait");
        Assert.True(code == 0 && said.Contains("policy 2: 1 of 2 machines first, watched for 1s", StringComparison.Ordinal) && said.Contains("policy 2 is in force on 2 of 2 machines", StringComparison.Ordinal), said);
        (_, said) = await RunAsync(etcd, "list");
        Assert.StartsWith("fleet 'default': 2 machines, 2 with policy 2, set by ", said, StringComparison.Ordinal);
        JsonElement list = await JsonAsync(work, etcd, "list", "--json");
        Assert.Equal(["one 2 1", "two 2 1"], list.GetProperty("machines").EnumerateArray().Select(m => $"{m.GetProperty("machine")} {m.GetProperty("policy")} {m.GetProperty("gateways")}"));

        // It is right by itself, but not for a gateway of these machines.
        await File.WriteAllTextAsync(work.File("p.json"), """{ "gateways": [ { "name": "db", "tcp": "off" } ] }""");
        (code, said) = await RunAsync(etcd, "policy", "set", work.File("p.json"), "--canary", "5%", "--observe", "1s", "--wait");
        Assert.True(code == 1 && said.Contains("policy 3 is rolled back: ", StringComparison.Ordinal) && said.Contains(" refuses it: ", StringComparison.Ordinal), said);
        (code, said) = await RunAsync(etcd, "policy", "set", work.File("p.json"), "--wait");
        Assert.True(code == 1 && said.Contains("policy 4 is on 0 of 2 machines; one refuses it: ", StringComparison.Ordinal), said);
        (_, said) = await RunAsync(etcd, "list");
        Assert.Contains("2, refused 4: ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flow_that_is_dying_is_told_of_wherever_it_is()
    {
        using var work = new WorkFolder();
        await using EtcdCluster etcd = await EtcdCluster.StartAsync();
        await using SilentPeer peer = await SilentPeer.StartAsync();
        await using FleetDaemon one = await FleetDaemon.StartAsync(etcd, "one", Gateway(peer.Port, "redis", "1:3:1"));
        using TcpClient client = await SilentPeer.SpeakAsync(await one.Up.PortOfAsync("db"));
        await peer.StopAsync();
        await one.Up.WaitForAsync("died", 1);
        JsonElement told = await UntilAsync(() => JsonAsync(work, etcd, "flows", "--json"), answer => answer.GetProperty("dead").GetInt32() == 1);
        JsonElement flow = Assert.Single(told.GetProperty("flows").EnumerateArray());
        Assert.Equal(("one", "db", "dead", $"{client.Client.LocalEndPoint}"), (flow.GetProperty("machine").GetString(), flow.GetProperty("gateway").GetString(), flow.GetProperty("state").GetString(), flow.GetProperty("client").GetString()));
        (int code, string said) = await RunAsync(etcd, "flows", "--verdict", "dead", "--machine", "one");
        Assert.True(code == 0 && said.Contains("1 machine: 1 flow died in the last minute\n", StringComparison.Ordinal) && said.Contains($"127.0.0.1:{peer.Port}", StringComparison.Ordinal), said);
        (_, said) = await RunAsync(etcd, "flows", "--verdict", "probing");
        Assert.Equal("1 machine: 0 flows probing", said);
        Assert.Equal((1, "keepalive fleet: there is no machine 'two' in the fleet 'default' now: 'keepalive fleet list' shows those that are there"), await RunAsync(etcd, "flows", "--machine", "two"));
    }

    [Fact]
    public async Task Garbage_in_keys_is_named_and_the_rest_is_told()
    {
        using var work = new WorkFolder();
        await using EtcdCluster etcd = await EtcdCluster.StartAsync();
        await using FleetDaemon one = await FleetDaemon.StartAsync(etcd, "one");
        using var client = new EtcdClient(etcd.Options);
        var keys = new FleetKeys(FleetKeys.DefaultFleet);
        await client.CommitAsync([], [new EtcdWrite(keys.Current, "{}"u8.ToArray()), new EtcdWrite(keys.Machine("\u001b[31mtwo\n"), [0xff]), new EtcdWrite(keys.Machine("three"), "null"u8.ToArray())], TestContext.Current.CancellationToken);
        (int code, string said) = await RunAsync(etcd, "list");
        Assert.Equal(1, code);
        Assert.Contains("fleet 'default': 3 machines\n", said, StringComparison.Ordinal);
        Assert.Contains("2 machines of whom nothing can be read: ?[31mtwo?, three\n", said, StringComparison.Ordinal);
        Assert.Contains($"keepalive fleet: etcd's {keys.Current}: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', said);
        (code, said) = await RunAsync(etcd, "policy", "get");
        Assert.True(code == 1 && said.Split('\n').Length == 1 && said.StartsWith($"keepalive fleet: etcd's {keys.Current}: JSON, but with members missing", StringComparison.Ordinal), said);
    }

    [Fact]
    public async Task What_cannot_be_is_one_clear_line()
    {
        using var work = new WorkFolder();
        await File.WriteAllTextAsync(work.File("p.json"), "{}");
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0); // bound, and not listening: nobody answers there
        taken.Server.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        string nobody = $"http://{taken.Server.LocalEndPoint}";
        (int code, string said) = await RunAsync(nobody, "list");
        Assert.True(code == 1 && said.Split('\n').Length == 1 && said.StartsWith("keepalive fleet: ", StringComparison.Ordinal) && said.Contains($"{taken.Server.LocalEndPoint}", StringComparison.Ordinal), said);
        Assert.Equal((2, $"keepalive fleet: which one? Give its etcd: --fleet https://HOST:2379, or KEEPALIVE_FLEET"), await RunAsync("", "list"));
        Assert.Equal((2, "keepalive fleet: KEEPALIVE_FLEET: 'etcd' is no endpoint: give https://HOST:PORT or http://HOST:PORT, and users by --fleet-user"), await RunAsync("etcd", "list"));
        Assert.Equal((2, "keepalive fleet: --observe is for --canary"), await RunAsync(nobody, "policy", "set", work.File("p.json"), "--observe", "5s"));
        (code, said) = await RunAsync(nobody, "policy", "set", work.File("p.json"), "--canary", "100%");
        Assert.True(code == 2 && said.Contains("'100%' is no part of the machines", StringComparison.Ordinal), said);
        (code, said) = await RunAsync(nobody, "--fleet-name", "a/b", "list");
        Assert.True(code == 2 && said.Contains("'a/b' is no name", StringComparison.Ordinal), said);
    }

    // It is tuned: a policy that takes kernel keepalive from it leaves nothing to tune, and is refused.
    private static string Gateway(int to, string protocol = "tcp", string? probe = null) =>
        $$"""{ "name": "db", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{to}}", "protocol": "{{protocol}}", "noCheck": true, "tune": true{{(probe is null ? "" : $", \"probe\": \"{probe}\"")}} }""";

    private static Task<(int Code, string Said)> RunAsync(EtcdCluster etcd, params string[] words) => RunAsync(etcd.Endpoints, words);

    private static Task<(int Code, string Said)> RunAsync(string endpoints, params string[] words) => RunAsync(endpoints, words, null);

    private static async Task<(int Code, string Said)> RunAsync(string endpoints, string[] words, string? input)
    {
        await using ChildProcess command = await StartAsync(endpoints, [UpProcess.Program, "fleet", .. words], input);
        await command.WaitForExitAsync(Patience);
        return (command.ExitCode, command.Transcript);
    }

    // Standard output alone, and byte for byte.
    private static async Task<string> TextAsync(WorkFolder work, EtcdCluster etcd, params string[] words)
    {
        string file = work.File("out");
        await using ChildProcess command = await StartAsync(etcd.Endpoints, ["/bin/sh", "-c", "out=$1; shift; exec \"$@\" > \"$out\"", "sh", file, UpProcess.Program, "fleet", .. words]);
        await command.WaitForExitAsync(Patience);
        Assert.True(command.ExitCode == 0, command.Transcript);
        return Encoding.UTF8.GetString(await File.ReadAllBytesAsync(file));
    }

    private static async Task<JsonElement> JsonAsync(WorkFolder work, EtcdCluster etcd, params string[] words) => JsonDocument.Parse(await TextAsync(work, etcd, words)).RootElement;

    private static Task<ChildProcess> StartAsync(string endpoints, string[] command, string? input = null) =>
        ChildProcess.StartAsync(command, environment: new Dictionary<string, string> { ["KEEPALIVE_FLEET"] = endpoints, ["KEEPALIVE_FLEET_NAME"] = "" }, input: input);

    private static async Task<JsonElement> UntilAsync(Func<Task<JsonElement>> ask, Func<JsonElement, bool> isSo)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            JsonElement answer = await ask();
            if (isSo(answer)) return answer;
            await Task.Delay(200, patience.Token);
        }
    }
}
