using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// redis-cli, silent for 24 s behind a middlebox that forgets after 8 s, while Redis itself ends what is idle for 4 s: lost without us
/// and by kernel keepalive alone, held by PING; a subscriber, whom Redis does not end, as well.
/// </summary>
public sealed class RedisSessionTests
{
    internal const int Port = 6380;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Outlives_the_middlebox_and_the_server_s_idle_limit_through_the_gateway()
    {
        Requires.Programs("stdbuf");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess server = await StartServerAsync(lab, work, "--timeout", "4");
        await using GatewayProcess probed = await StartGatewayAsync(lab, "--tcp", "3:3:2", "--probe", "2:3:2");
        await using GatewayProcess kernel = await StartGatewayAsync(lab, "--tcp", "3:3:2", "--probe", "off");
        await using ChildProcess deaf = await SubscribeAsync(lab, $"{lab.Server.Address}", Port), listener = await SubscribeAsync(lab, "127.0.0.1", probed.Port);
        await Outcomes.AssertAsync(() => probed.Transcript,
            ("alone", OutcomeAsync(lab, $"{lab.Server.Address}", Port), "lost"),
            ("kernel keepalive alone", OutcomeAsync(lab, "127.0.0.1", kernel.Port), "lost"),
            ("PING", OutcomeAsync(lab, "127.0.0.1", probed.Port), "kept"));

        await lab.Server.RunAsync([Program("redis-cli"), "-h", $"{lab.Server.Address}", "-p", $"{Port}", "PUBLISH", "news", "hello"]);
        await listener.WaitForLineAsync(line => line == "hello", Patience);
        Assert.DoesNotContain("hello", deaf.Lines);
        Assert.True(probed.Count("probe-answered") >= 16, probed.Transcript);
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    [Fact]
    public async Task Redis_own_benchmark_runs_with_the_probes_on()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess server = await StartServerAsync(lab, work);
        await using GatewayProcess gateway = await StartGatewayAsync(lab, "--probe", "100ms:9:1s");
        foreach (string protocol in (string[])["", "-3"])
        {
            string[] more = protocol.Length > 0 ? [protocol] : [];
            string said = await lab.Client.RunAsync([Program("redis-benchmark"), "-h", "127.0.0.1", "-p", $"{gateway.Port}", "-q", "-n", "3000", "-c", "8", "-P", "3", "-t", "ping,set,get,lpush,lrange_100,mset", .. more]);
            Assert.DoesNotContain("rror", said, StringComparison.Ordinal);
            Assert.Contains("MSET (10 keys): ", said, StringComparison.Ordinal);
        }

        Assert.Equal(0, gateway.Count("plain-relay"));
        Assert.Equal(0, gateway.Count("died"));
    }

    private static string Program(string name) => Path.Combine(Path.GetDirectoryName(Requires.Server("redis-tools", "usr/bin/redis-check-rdb"))!, name);

    private static Task<GatewayProcess> StartGatewayAsync(NetworkLab lab, params string[] options) =>
        GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", Port, ["--protocol", "redis", .. options]);

    internal static async Task<ChildProcess> StartServerAsync(NetworkLab lab, WorkFolder work, params string[] options)
    {
        // One program, whose name says what it is to be.
        string server = work.File("redis-server");
        File.CreateSymbolicLink(server, Program("redis-check-rdb"));
        ChildProcess redis = await lab.Server.StartAsync([server, "--port", $"{Port}", "--bind", $"{lab.Server.Address}", "--save", "", "--protected-mode", "no", .. options], folder: work.Path);
        await lab.Server.ListensAsync(Port, redis);
        return redis;
    }

    private static async Task<ChildProcess> SubscribeAsync(NetworkLab lab, string host, int port)
    {
        ChildProcess client = await lab.Client.StartAsync(["stdbuf", "-oL", Program("redis-cli"), "-h", host, "-p", $"{port}", "SUBSCRIBE", "news"]);
        await client.WaitForLineAsync(line => line == "subscribe", Patience);
        return client;
    }

    // It makes another connection where one is lost, and does not say so: the server's number of it does.
    private static async Task<string> OutcomeAsync(NetworkLab lab, string host, int port)
    {
        string script = $"(echo 'CLIENT ID'; sleep {Silence.TotalSeconds}; echo 'CLIENT ID') | timeout {(Silence + Patience).TotalSeconds} {Program("redis-cli")} -h {host} -p {port}";
        await using ChildProcess client = await lab.Client.StartAsync(["sh", "-c", script]);
        await client.WaitForExitAsync(Silence + Patience + Patience);
        return client.Lines is [var first, var second] && first == second ? "kept" : "lost";
    }
}
