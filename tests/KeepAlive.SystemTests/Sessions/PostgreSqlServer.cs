using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>PostgreSQL with a cluster of its own, on the lab's server host, as an ordinary user: it does not run as root.</summary>
internal sealed class PostgreSqlServer : IAsyncDisposable
{
    public const int Port = 5433;
    public const string User = "ka";

    private const string Package = "postgresql-15";
    private const string Programs = "usr/lib/postgresql/15/bin";

    private readonly WorkFolder _work = new();
    private ChildProcess? _daemon;

    private PostgreSqlServer()
    {
    }

    /// <summary>The process that starts those of the sessions.</summary>
    public int Id => _daemon!.Id;

    /// <summary>A program of the package, where the ordinary user finds it.</summary>
    public string Program(string name) => _work.File($"{Programs}/{name}");

    /// <param name="lab">Where.</param>
    /// <param name="settings">Of postgresql.conf: <c>idle_session_timeout=4s</c>.</param>
    public static async Task<PostgreSqlServer> StartAsync(NetworkLab lab, params string[] settings)
    {
        string unpacked = Requires.Server(Package, $"{Programs}/postgres")[..^$"/{Programs}/postgres".Length];
        var server = new PostgreSqlServer();
        try
        {
            // It finds its files by their place beside its own; the working copy may lie where the user may not go.
            await ChildProcess.RunAsync(["cp", "-r", Path.Combine(unpacked, "usr"), server._work.Path]);
            string cluster = server._work.Folder("cluster"), data = Path.Combine(cluster, "data");
            await ChildProcess.RunAsync(["chown", OrdinaryUser.Id, cluster]);
            await ChildProcess.RunAsync([.. OrdinaryUser.Prefix, server.Program("initdb"), "-D", data, "-A", "trust", "-U", User, "--no-sync", "--locale=C"]);
            await File.WriteAllTextAsync(Path.Combine(data, "pg_hba.conf"), "host all all 0.0.0.0/0 trust\n", TestContext.Current.CancellationToken);
            server._daemon = await lab.Server.StartAsync(
            [
                .. OrdinaryUser.Prefix, server.Program("postgres"), "-D", data, "-p", $"{Port}", "-c", $"listen_addresses={lab.Server.Address}", "-c", "unix_socket_directories=", "-c", "fsync=off",
                .. settings.SelectMany(setting => (string[])["-c", setting]),
            ]);
            // It listens before it serves.
            await server._daemon.WaitForLineAsync(l => l.Contains("ready to accept connections", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            // Fast shutdown (SIGINT): killed, it would leave its processes and a segment of shared memory.
            if (_daemon.IsRunning) await _daemon.SignalAsync("INT");
            await _daemon.WaitForExitAsync(TimeSpan.FromSeconds(10));
            await _daemon.DisposeAsync();
        }

        _work.Dispose();
    }
}
