using System.Net;
using System.Text.Json;
using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Sessions;

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

    /// <summary>An ordinary server is spoken to first: where the middlebox takes connections up again, that is taken for a path that forgets nothing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Against_an_ordinary_server_a_loose_middlebox_is_not_seen(bool isLoose)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { IsLoose = isLoose });
        using var work = new WorkFolder();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work);
        await using ChildProcess measure = await lab.Client.StartAsync([Path.Combine(Repository.Root, "keepalive"), "measure", "--against", $"redis://{lab.Server.Address}:{RedisSessionTests.Port}", "--max", "20s", "--json"]);
        await measure.WaitForExitAsync(TimeSpan.FromSeconds(90));
        Assert.True(measure.ExitCode == 0, measure.Transcript);
        JsonElement result = MeasureProcess.Printed(measure);
        Assert.Equal(isLoose ? JsonValueKind.Null : JsonValueKind.Number, result.GetProperty("lostSeconds").ValueKind);
        if (isLoose)
        {
            Assert.Equal(20, result.GetProperty("answeredSeconds").GetDouble());
            return;
        }

        Assert.InRange(result.GetProperty("answeredSeconds").GetDouble(), 7, 8.2);
        Assert.InRange(result.GetProperty("lostSeconds").GetDouble(), 7.5, 9);
        Assert.Equal("dead", result.GetProperty("verdict").GetString());
    }
}
