using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;
using Npgsql;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// Sessions of Npgsql and psql's library with PostgreSQL, silent for 24 s behind a middlebox that forgets after 8 s, while the server
/// ends sessions that are idle for 4 s: lost without us and by kernel keepalive alone, held by Sync.
/// </summary>
public sealed class PostgreSqlSessionTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private const int PatienceSeconds = 6;

    [Fact]
    public async Task Outlives_the_middlebox_and_the_server_s_idle_limit_through_the_gateway()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using PostgreSqlServer server = await PostgreSqlServer.StartAsync(lab, "idle_session_timeout=4s");
        await using GatewayProcess probed = await StartGatewayAsync(lab, "--probe", "2:3:2");
        await using GatewayProcess kernel = await StartGatewayAsync(lab, "--probe", "off");
        await Outcomes.AssertAsync(() => probed.Transcript,
            ("alone", NpgsqlAsync(lab, $"{lab.Server.Address}", PostgreSqlServer.Port), "lost"),
            ("kernel keepalive alone", NpgsqlAsync(lab, "127.0.0.1", kernel.Port), "lost"),
            ("Sync", NpgsqlAsync(lab, "127.0.0.1", probed.Port), "kept"),
            ("psql, alone", PsqlAsync(lab, $"{lab.Server.Address}", PostgreSqlServer.Port), "lost"),
            ("psql, Sync", PsqlAsync(lab, "127.0.0.1", probed.Port), "kept"));
        Assert.True(probed.Count("probe-answered") >= 16, probed.Transcript);
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    [Fact]
    public async Task PostgreSQLs_own_benchmark_runs_with_a_probe_in_every_gap()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using PostgreSqlServer server = await PostgreSqlServer.StartAsync(lab);
        await using GatewayProcess gateway = await StartGatewayAsync(lab, "--probe", "100ms:9:1s");
        string[] at = ["-h", "127.0.0.1", "-p", $"{gateway.Port}", "-U", PostgreSqlServer.User, "postgres"];
        await lab.Client.RunAsync([.. OrdinaryUser.Prefix, server.Program("pgbench"), "-i", "-q", .. at]);
        foreach (string protocol in (string[])["simple", "extended", "prepared"])
        {
            // At a low rate sessions are idle between their transactions.
            string said = await lab.Client.RunAsync([.. OrdinaryUser.Prefix, server.Program("pgbench"), "-M", protocol, "-c", "4", "-T", "4", "-R", "8", .. at]);
            Assert.Contains("number of failed transactions: 0", said, StringComparison.Ordinal);
        }

        Assert.True(gateway.Count("probe-answered") >= 20, gateway.Transcript);
        Assert.Equal(0, gateway.Count("plain-relay"));
    }

    private static Task<GatewayProcess> StartGatewayAsync(NetworkLab lab, params string[] options) =>
        GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", PostgreSqlServer.Port, ["--protocol", "postgresql", "--tcp", "3:3:2", .. options]);

    // Opened at once its socket is made on this thread: on the client's host.
    private static Task<string> NpgsqlAsync(NetworkLab lab, string host, int port) => lab.Client.InsideAsync(() =>
    {
        using var connection = new NpgsqlConnection($"Host={host};Port={port};Username={PostgreSqlServer.User};Database=postgres;Pooling=false;SSL Mode=Disable;Command Timeout={PatienceSeconds}");
        connection.Open();
        Assert.Equal(1, Ask(connection));
        Thread.Sleep(Silence); // the silence is what is tried
        try
        {
            return Ask(connection) == 1 ? "kept" : "garbled";
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or IOException)
        {
            return "lost";
        }
    });

    private static int Ask(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT 1", connection);
        return (int)command.ExecuteScalar()!;
    }

    // "SELECT 1", a silence of the shell's, "SELECT 2": psql reads the next line only when the last is done.
    internal static async Task<string> PsqlAsync(NetworkLab lab, string host, int port)
    {
        Requires.Programs("psql", "timeout");
        string script = $"(echo 'SELECT 1;'; sleep {Silence.TotalSeconds}; echo 'SELECT 1+1;') | timeout {Silence.TotalSeconds + PatienceSeconds} psql -X -A -t -h {host} -p {port} -U {PostgreSqlServer.User} postgres 2>&1";
        await using ChildProcess psql = await lab.Client.StartAsync(["sh", "-c", script], environment: new Dictionary<string, string> { ["PGSSLMODE"] = "prefer" });
        await psql.WaitForExitAsync(Silence + TimeSpan.FromSeconds(4 * PatienceSeconds));
        // psql makes another connection where it can, and says so.
        return psql.Lines is ["1", "2"] ? "kept" : "lost";
    }
}
