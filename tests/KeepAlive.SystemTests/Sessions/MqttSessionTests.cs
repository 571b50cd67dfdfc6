using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// mosquitto_sub, which waits in silence for 24 s behind a middlebox that forgets after 8 s, and is then published to: it never
/// hears of it without us, or by kernel keepalive at its default pace; with PINGREQs in its session it does.
/// </summary>
public sealed class MqttSessionTests
{
    internal const int Port = 18830;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Outlives_the_middlebox_through_the_gateway()
    {
        Requires.Programs("stdbuf", "mosquitto_sub", "mosquitto_pub");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess broker = await StartBrokerAsync(lab, work);
        await using GatewayProcess probed = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", Port, "--protocol", "mqtt", "--probe", "2:3:2");
        await using GatewayProcess kernel = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", Port, "--protocol", "mqtt", "--probe", "off");
        await using ChildProcess alone = await SubscribeAsync(lab, $"{lab.Server.Address}", Port), unprobed = await SubscribeAsync(lab, "127.0.0.1", kernel.Port);
        await using ChildProcess kept = await SubscribeAsync(lab, "127.0.0.1", probed.Port);
        await Task.Delay(Silence, TestContext.Current.CancellationToken); // the silence is what is tried

        await lab.Server.RunAsync(["mosquitto_pub", "-h", $"{lab.Server.Address}", "-p", $"{Port}", "-t", "news", "-m", "hello"]);
        await kept.WaitForLineAsync(line => line == "hello", Patience);
        await Task.Delay(Patience, TestContext.Current.CancellationToken); // it could still come to the others
        Assert.DoesNotContain("hello", alone.Lines);
        Assert.DoesNotContain("hello", unprobed.Lines);
        Assert.True(probed.Count("probe-answered") >= 8, probed.Transcript);
    }

    internal static async Task<ChildProcess> StartBrokerAsync(NetworkLab lab, WorkFolder work, params string[] settings)
    {
        string program = Requires.Server("mosquitto", "usr/sbin/mosquitto"), configuration = work.File("mosquitto.conf");
        await File.WriteAllTextAsync(configuration, $"user root\nallow_anonymous true\nlistener {Port} {lab.Server.Address}\n{string.Join('\n', settings)}\n", TestContext.Current.CancellationToken);
        ChildProcess broker = await lab.Server.StartAsync([program, "-c", configuration]);
        await lab.Server.ListensAsync(Port, broker);
        return broker;
    }

    private static async Task<ChildProcess> SubscribeAsync(NetworkLab lab, string host, int port)
    {
        ChildProcess client = await lab.Client.StartAsync(["stdbuf", "-oL", "mosquitto_sub", "-d", "-h", host, "-p", $"{port}", "-t", "news", "-k", "3600"]);
        await client.WaitForLineAsync(line => line.Contains("Subscribed", StringComparison.Ordinal), Patience);
        return client;
    }
}
