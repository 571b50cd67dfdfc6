using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Paths;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>Machines of one network, a path through a real NAT, and a policy that wants it known.</summary>
[Collection(FleetLab.Collection)]
public sealed class SharedPathsTests
{
    [Fact]
    public async Task One_measures_and_all_know_it_those_that_come_later_too()
    {
        await using NetworkLab net = await NetworkLab.BuildAsync(new LabOptions(Middlebox.MasqueradingNat, TimeSpan.FromSeconds(4)));
        await using PathReflector reflector = await MeasureProcess.ReflectAsync(net);
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Inside = net.Client });
        await using FleetLab lab = await FleetLab.StartAsync(etcd, 3, new FleetLabOptions { Client = net.Client });
        await lab.CommandAsync(["policy", "set", "-"], $$"""{ "measure": [ { "to": "{{reflector.Listening}}", "max": "10s", "every": "1d" } ] }""");

        string[] known = await Task.WhenAll(lab.Machines.Select(KnownAsync));
        FleetLab.Machine late = lab.New("m99", etcd.Endpoints);
        await lab.StartAsync(late);
        await late.Up.WaitForAsync("fleet", 1, "kept here too");
        Assert.All([.. known, await KnownAsync(late)], path =>
        {
            Assert.Contains($"\"remote\": \"{reflector.Listening}\"", path, StringComparison.Ordinal);
            Assert.Contains($"\"local\": \"{net.Client.Address}\"", path, StringComparison.Ordinal);
            Assert.Equal(known[0], path);
        });
        Assert.Single(lab.Machines, m => m.Up.Transcript.Contains("nobody has measured it", StringComparison.Ordinal));
    }

    // What is in its own store, once there is something.
    private static async Task<string> KnownAsync(FleetLab.Machine machine)
    {
        using var limit = new CancellationTokenSource(FleetLab.Patience);
        string file = machine.Environment["KEEPALIVE_PATHS"];
        while (!File.Exists(file)) await Task.Delay(100, limit.Token);
        return await File.ReadAllTextAsync(file, limit.Token);
    }
}
