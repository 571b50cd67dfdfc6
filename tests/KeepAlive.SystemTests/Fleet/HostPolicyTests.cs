using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Linux;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>The fleet's policy for programs that know nothing of it.</summary>
[Collection(FleetLab.Collection)]
public sealed class HostPolicyTests
{
    [Fact]
    public async Task It_is_in_force_on_their_sockets_and_followed_by_the_next_process_after_an_upgrade()
    {
        await using NetworkLab net = await NetworkLab.BuildAsync(LabOptions.Default);
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Inside = net.Client });
        await using FleetLab lab = await FleetLab.StartAsync(etcd, 1, new FleetLabOptions { Client = net.Client });
        await using Holder program = await Holder.StartAsync(net.Client, [], 2);
        await SetAsync("61:4:15");
        await SpelledAsync("61:4:15 121000");

        FleetLab.Machine machine = lab.Machines[0];
        UpProcess before = machine.Up;
        machine.Up = await before.UpgradeAsync();
        await machine.Up.WaitForAsync("fleet", 1, "is in the fleet");
        await SetAsync("62:4:15");
        await SpelledAsync("62:4:15 122000");
        await lab.TalkAsync(); // by the process before
        Assert.Contains("\"m01\"", await lab.CommandAsync(["list", "--json"]), StringComparison.Ordinal);
        await before.DisposeAsync();

        Task<string> SetAsync(string spec) => lab.CommandAsync(["policy", "set", "-"],
            $$"""{ "hosts": [ { "name": "ours", "process": "python3", "port": {{program.Port}}, "remote": "127.0.0.0/8", "spec": "{{spec}}", "mode": "apply" } ] }""");

        async Task SpelledAsync(string wanted)
        {
            using var limit = new CancellationTokenSource(FleetLab.Patience);
            while (true)
            {
                string[] spelled = [.. (await Holder.ListAsync(net.Client, "--pid", $"{program.Pid}")).Where(c => c.GetProperty("state").GetString() == "established").Select(Holder.Spell)];
                if (spelled.Length == 4 && spelled.All(s => s == wanted)) return;
                await Task.Delay(100, limit.Token);
            }
        }
    }
}
