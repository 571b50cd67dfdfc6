using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>psql, which dials the server's own address, silent for 24 s behind a middlebox that forgets after 8 s, with a transparent gateway on their host.</summary>
public sealed class TransparentSessionTests
{
    [Fact]
    public async Task Psql_outlives_the_middlebox_and_the_server_s_idle_limit_and_dies_where_it_was_connected_before()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using PostgreSqlServer server = await PostgreSqlServer.StartAsync(lab, "idle_session_timeout=4s");
        Task<string> before = PsqlAsync(lab);
        await ConnectedAsync(lab, before);
        await using GatewayProcess gateway = await GatewayProcess.StartTransparentAsync(lab.Client, PostgreSqlServer.Port, "--protocol", "postgresql", "--tcp", "3:3:2", "--probe", "2:3:2");
        await Outcomes.AssertAsync(() => gateway.Transcript, ("before the gateway", before, "lost"), ("through it", PsqlAsync(lab), "kept"));
        Assert.True(gateway.Count("probe-answered") >= 8, gateway.Transcript);
        Assert.Equal(1, gateway.Count("opened"));
    }

    private static Task<string> PsqlAsync(NetworkLab lab) => PostgreSqlSessionTests.PsqlAsync(lab, $"{lab.Server.Address}", PostgreSqlServer.Port);

    // The kernel of the client's host says so.
    private static async Task ConnectedAsync(NetworkLab lab, Task client)
    {
        while (!(await lab.Client.RunAsync(["ss", "-Htn", "state", "established", $"dport = {PostgreSqlServer.Port}"])).Contains($":{PostgreSqlServer.Port}", StringComparison.Ordinal))
        {
            Assert.False(client.IsCompleted, "psql ended before it was connected");
            await Task.Delay(20);
        }
    }
}
