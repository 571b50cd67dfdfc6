using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>A daemon whose network to etcd swallows everything.</summary>
[Collection(FleetLab.Collection)]
public sealed class PartitionTests
{
    [Fact]
    public async Task It_keeps_working_and_catches_up()
    {
        await using NetworkLab net = await NetworkLab.BuildAsync(new LabOptions(Middlebox.MasqueradingNat, TimeSpan.FromSeconds(600)));
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Inside = net.Server });
        await using FleetLab lab = await FleetLab.StartAsync(etcd, 1, new FleetLabOptions { Client = net.Client });
        await SetAsync("41:3:7");
        await lab.ConvergedAsync("41:3:7");

        await net.SwallowEverythingAsync();
        await lab.Machines[0].Up.WaitForAsync("fleet-away", 1); // no word of it came: its own silence was noticed
        await SetAsync("42:3:7");
        await lab.TalkAsync();
        await lab.ConvergedAsync("41:3:7");
        // Long enough for its lease to be over.
        while ((await FleetAsync(["list", "--json"])).Contains("\"m01\"", StringComparison.Ordinal)) await Task.Delay(500);

        await net.LetPassAsync();
        await lab.ConvergedAsync("42:3:7");
        await lab.Machines[0].Up.WaitForAsync("fleet-back", 1);
        while (!(await FleetAsync(["list", "--json"])).Contains("\"m01\"", StringComparison.Ordinal)) await Task.Delay(500);
        await lab.TalkAsync();
        Assert.Equal(0, lab.Machines[0].Up.Count("died"));

        Task<string> SetAsync(string tcp) => FleetAsync(["policy", "set", "-"], $$"""{ "gateways": [ { "tcp": "{{tcp}}" } ] }""");

        Task<string> FleetAsync(string[] command, string? input = null) => lab.CommandAsync(command, input, net.Server);
    }
}
