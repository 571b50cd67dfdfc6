using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// The mariadb client, silent for 24 s behind a middlebox that forgets after 8 s, while MariaDB ends what is idle for 4 s: lost without us
/// and by kernel keepalive alone, held by COM_PING.
/// </summary>
public sealed class MySqlSessionTests
{
    internal const int Port = 3307;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Outlives_the_middlebox_and_the_server_s_idle_limit_through_the_gateway()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess server = await StartServerAsync(lab, work, "--wait-timeout=4");
        await using GatewayProcess probed = await StartGatewayAsync(lab, "--probe", "2:3:2");
        await using GatewayProcess kernel = await StartGatewayAsync(lab, "--probe", "off");
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{server.Transcript}",
            ("alone", OutcomeAsync(lab, $"{lab.Server.Address}", Port), "lost"),
            ("kernel keepalive alone", OutcomeAsync(lab, "127.0.0.1", kernel.Port), "lost"),
            ("COM_PING", OutcomeAsync(lab, "127.0.0.1", probed.Port), "kept"));
        Assert.True(probed.Count("probe-answered") >= 8, probed.Transcript);
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    [Fact]
    public async Task Sysbench_runs_with_a_probe_in_every_gap_and_a_script_says_what_it_says_without_us()
    {
        Requires.Programs("sysbench");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using ChildProcess server = await StartServerAsync(lab, work);
        await using GatewayProcess gateway = await StartGatewayAsync(lab, "--probe", "100ms:9:1s");
        string[] bench(string what, params string[] more) =>
            ["sysbench", "oltp_read_write", "--db-driver=mysql", "--mysql-host=127.0.0.1", $"--mysql-port={gateway.Port}", "--mysql-user=root", "--mysql-db=test", "--mysql-ssl=off", "--tables=4", "--table-size=1000", .. more, what];
        await lab.Client.RunAsync(Client(lab, $"{lab.Server.Address}", Port, "-e", "CREATE DATABASE test"));
        await lab.Client.RunAsync(bench("prepare"));
        foreach (string mode in (string[])["auto", "disable"])
        {
            // At a low rate sessions are idle between their transactions; two that lock each other out (1213) are the server's affair.
            string said = await lab.Client.RunAsync(bench("run", $"--db-ps-mode={mode}", "--threads=4", "--time=4", "--rate=8", "--mysql-ignore-errors=1213"));
            Assert.Contains("reconnects:                          0 ", said, StringComparison.Ordinal);
        }

        string file = work.File("rows");
        await File.WriteAllTextAsync(file, string.Concat(Enumerable.Range(1, 20_000).Select(n => $"{n}\trow {n}\n")), TestContext.Current.CancellationToken);
        string script = $"""
            CREATE OR REPLACE TABLE items (n INT, t TEXT);
            LOAD DATA LOCAL INFILE '{file}' INTO TABLE items;
            SELECT COUNT(*), MAX(n) FROM items; SELECT * FROM items ORDER BY n LIMIT 500;
            SELECT REPEAT('x', 20000000); SELECT 1/0; SHOW WARNINGS; INSERT INTO items VALUES (0, NULL), (0, ''); SELECT ROW_COUNT();
            SELECT * FROM nowhere; SELECT SLEEP(0.3); PREPARE p FROM 'SELECT ? + 1'; SET @a = 4; EXECUTE p USING @a;
            """;
        string[] runs = [await RunAsync($"{lab.Server.Address}", Port), await RunAsync("127.0.0.1", gateway.Port)];
        Assert.Equal(runs[0], runs[1]);
        Assert.Contains("row 500", runs[0], StringComparison.Ordinal);
        Assert.True(gateway.Count("probe-answered") >= 10, gateway.Transcript);
        Assert.Equal(0, gateway.Count("plain-relay"));

        Task<string> RunAsync(string host, int port) => lab.Client.RunAsync(Client(lab, host, port, "--force", "--local-infile=1", "--max-allowed-packet=64M", "-D", "test"), script);
    }

    private static Task<GatewayProcess> StartGatewayAsync(NetworkLab lab, params string[] options) =>
        GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", Port, ["--protocol", "mysql", "--tcp", "3:3:2", .. options]);

    // Without the tables of its own that say who may do what: everybody may.
    internal static async Task<ChildProcess> StartServerAsync(NetworkLab lab, WorkFolder work, params string[] options)
    {
        string program = Requires.Server("mariadb-server-core", "usr/sbin/mariadbd"), data = work.Folder("data");
        await ChildProcess.RunAsync(["chown", "nobody", data]);
        ChildProcess server = await lab.Server.StartAsync(
        [
            program, "--no-defaults", "--user=nobody", $"--datadir={data}", $"--lc-messages-dir={Path.GetFullPath(Path.Combine(program, "../../share/mysql"))}", "--skip-grant-tables", "--skip-name-resolve", "--skip-networking=0",
            $"--bind-address={lab.Server.Address}", $"--port={Port}", $"--socket={data}/s", $"--pid-file={data}/pid", "--local-infile=1", "--max-allowed-packet=64M", "--innodb-flush-log-at-trx-commit=0", .. options,
        ]);
        await lab.Server.ListensAsync(Port, server);
        return server;
    }

    private static string[] Client(NetworkLab lab, string host, int port, params string[] options)
    {
        Requires.Programs("mariadb");
        return ["mariadb", "--no-defaults", "-h", host, "-P", $"{port}", "-u", "root", "--skip-ssl", "-N", .. options];
    }

    // It would make another connection where one is lost, if it were let.
    private static async Task<string> OutcomeAsync(NetworkLab lab, string host, int port)
    {
        string client = string.Join(' ', Client(lab, host, port, "--skip-reconnect", "--unbuffered"));
        string script = $"(echo 'SELECT 1;'; sleep {Silence.TotalSeconds}; echo 'SELECT 2;') | timeout {(Silence + Patience).TotalSeconds} {client} 2>&1";
        await using ChildProcess shell = await lab.Client.StartAsync(["sh", "-c", script]);
        await shell.WaitForExitAsync(Silence + Patience + Patience);
        return shell.Lines is ["1", "2"] ? "kept" : "lost";
    }
}
