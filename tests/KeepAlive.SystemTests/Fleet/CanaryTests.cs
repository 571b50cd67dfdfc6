using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>A policy is tried by one machine of five, through a NAT that forgets what is silent, and resets what it has forgotten.</summary>
public sealed class CanaryTests
{
    private const string Good = "2:3:1";
    private const string Better = "3:3:1";
    private const string Bad = "600:3:10";
    private static readonly TimeSpan Binding = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Silence = Binding + TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_policy_under_which_flows_die_is_rolled_back_by_itself_and_a_good_one_goes_through()
    {
        await using NetworkLab net = await NetworkLab.BuildAsync(new LabOptions(Middlebox.MasqueradingNat, Binding) { Resets = true });
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Inside = net.Client });
        await using FleetLab lab = await FleetLab.StartAsync(etcd, 5, new FleetLabOptions { Client = net.Client, Server = net.Server, FlowsEach = 6, Tcp = Good });
        using var work = new WorkFolder();
        await SetAsync(Bad, "10m");

        // Silence that the old policy bridges, and the new one does not. Who loses a flow opens another.
        FleetLab.Machine canary = await CanaryAsync();
        await Task.Delay(Silence);
        Assert.Equal(lab.Machines.Where(m => m != canary).Select(m => m.Name), (await Task.WhenAll(lab.Machines.Select(async m => (m.Name, Lives: await LivesAsync(m))))).Where(m => m.Lives).Select(m => m.Name));
        await canary.Up.WaitForAsync("died", 6);
        string history = await UntilAsync(["policy", "history"], "rolled back");
        Assert.Contains("deaths rise: 6 death(s)", history, StringComparison.Ordinal);
        await lab.ConnectAsync(canary);
        await lab.ConvergedAsync(Good);
        await Task.Delay(Silence);
        await lab.TalkAsync();

        await SetAsync(Better, "10s");
        await CanaryAsync();
        await Task.Delay(Silence);
        await lab.TalkAsync();
        await UntilAsync(["policy", "history"], "through");
        await lab.ConvergedAsync(Better);
        await lab.TalkAsync();

        async Task SetAsync(string tcp, string observe)
        {
            string file = work.File("policy.json");
            await File.WriteAllTextAsync(file, $$"""{ "gateways": [ { "name": "echo", "tcp": "{{tcp}}" } ] }""");
            await FleetAsync(["policy", "set", file, "--canary", "10%", "--observe", observe]);
        }

        async Task<FleetLab.Machine> CanaryAsync()
        {
            using var limit = new CancellationTokenSource(FleetLab.Patience);
            while (true)
            {
                foreach (FleetLab.Machine machine in lab.Machines)
                    if (machine.Up.Transcript.Split('\n').LastOrDefault(l => l.Contains("in force", StringComparison.Ordinal))?.Contains("as one of the first", StringComparison.Ordinal) == true) return machine;
                await Task.Delay(50, limit.Token);
            }
        }

        async Task<string> UntilAsync(string[] command, string text)
        {
            using var limit = new CancellationTokenSource(FleetLab.Patience);
            while (true)
            {
                string said = await FleetAsync(command);
                if (said.Contains(text, StringComparison.Ordinal)) return said;
                await Task.Delay(500, limit.Token);
            }
        }

        Task<string> FleetAsync(string[] command) => net.Client.RunAsync([Up.UpProcess.Program, "fleet", "--fleet", etcd.Endpoints, "--fleet-name", FleetLab.Fleet, .. command]);
    }

    // Whether all of its flows still are; those that are not are thrown away.
    private static async Task<bool> LivesAsync(FleetLab.Machine machine)
    {
        try
        {
            await FleetLab.TalkAsync(machine);
            return true;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            foreach (Line client in machine.Clients)
            {
                try
                {
                    await client.SayAsync("and this one?");
                    await client.HearAsync();
                }
                catch (Exception more) when (more is SocketException or EndOfStreamException)
                {
                    // It, too.
                }

                client.Dispose();
            }

            machine.Clients.Clear();
            return false;
        }
    }
}
