using System.Net;
using System.Text.Json;
using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

public sealed class MeasureKindTests
{
    [Fact]
    public async Task Knows_a_middlebox_that_only_data_from_here_refreshes()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(new LabOptions(Middlebox.OutgoingDataNat, TimeSpan.FromSeconds(7)));
        await using PathReflector reflector = await MeasureProcess.ReflectAsync(lab);
        JsonElement result = await MeasureProcess.ResultAsync(lab.Client, reflector.Listening, TimeSpan.FromSeconds(90), "--max", "30s");
        Assert.True(MeasureProcess.IsWithin(7, result), $"{result}");
        Assert.Equal("no no yes no yes", MeasureProcess.Answers(result));
        Assert.Equal(JsonValueKind.Null, result.GetProperty("keepAlivePolicy").ValueKind);
        Assert.Equal(JsonValueKind.String, result.GetProperty("probePolicy").ValueKind);
    }

    /// <summary>HAProxy ends TCP on both sides: its kernel answers keepalive, and it counts data alone.</summary>
    [Fact]
    public async Task Knows_a_proxy_that_answers_keepalive_itself_and_closes()
    {
        const int port = 7200;
        await using NetworkLab lab = await NetworkLab.BuildAsync(new LabOptions(Middlebox.StatefulFirewall, TimeSpan.FromHours(1)));
        using var work = new WorkFolder();
        await using PathReflector reflector = await MeasureProcess.ReflectAsync(lab);
        string program = Requires.Server("haproxy", "usr/sbin/haproxy"), configuration = work.File("haproxy.cfg");
        await File.WriteAllTextAsync(configuration, $"""
            defaults
              mode tcp
              timeout connect 10s
              timeout client 9s
              timeout server 9s
            listen one
              bind {lab.Client.Address}:{port}
              server two {reflector.Listening}

            """, TestContext.Current.CancellationToken);
        await using ChildProcess haproxy = await lab.Client.StartAsync([program, "-db", "-f", configuration]);
        await lab.Client.ListensAsync(port, haproxy);
        JsonElement result = await MeasureProcess.ResultAsync(lab.Client, new IPEndPoint(lab.Client.Address, port), TimeSpan.FromSeconds(90), "--max", "30s");
        Assert.True(MeasureProcess.IsWithin(9, result), $"{result}");
        Assert.Equal("close", result.GetProperty("expiry").GetString());
        Assert.Equal("no no yes yes no", MeasureProcess.Answers(result));
    }
}
