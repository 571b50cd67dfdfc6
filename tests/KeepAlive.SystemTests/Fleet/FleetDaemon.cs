using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Fleet;

/// <summary><c>keepalive up</c> as a machine of a fleet, with files of its own.</summary>
internal sealed class FleetDaemon : IAsyncDisposable
{
    private readonly WorkFolder _work = new();
    private UpProcess? _up;

    private FleetDaemon(string machine) => Machine = machine;

    public string Machine { get; }

    public UpProcess Up => _up!;

    /// <summary>Starts it, and waits until it is in the fleet.</summary>
    /// <param name="etcd">The fleet's.</param>
    /// <param name="machine">What it is called there.</param>
    /// <param name="gateways">Entries of its file.</param>
    /// <param name="page">Where its page is.</param>
    public static async Task<FleetDaemon> StartAsync(EtcdCluster etcd, string machine, string gateways = "", string page = "off")
    {
        var daemon = new FleetDaemon(machine);
        try
        {
            daemon._up = await UpProcess.StartAsync(daemon._work, $$"""{ "gateways": [ {{gateways}} ] }""", environment: new Dictionary<string, string>
            {
                ["KEEPALIVE_FLEET"] = etcd.Endpoints,
                ["KEEPALIVE_MACHINE"] = machine,
                ["KEEPALIVE_PAGE"] = page,
                ["KEEPALIVE_PATHS"] = daemon._work.File("paths.json"),
                ["STATE_DIRECTORY"] = daemon._work.Folder("state"),
            });
            await daemon._up.WaitForAsync("fleet", 1, "is in the fleet");
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_up is not null) await _up.DisposeAsync();
        _work.Dispose();
    }
}
