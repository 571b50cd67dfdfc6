using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>A policy is tried by one machine of five, through a NAT that forgets what is silent, and resets what it has forgotten.</summary>
[Collection(FleetLab.Collection)]
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
        await TryAsync(lab, Bad, "10m");

        // Silence that the old policy bridges, and the new one does not. Who loses a flow opens another.
        FleetLab.Machine canary = await CanaryAsync(lab);
        await Task.Delay(Silence);
        (string Name, bool Lives)[] after = await Task.WhenAll(lab.Machines.Select(async m => (m.Name, await LivesAsync(m))));
        Assert.Equal(lab.Machines.Where(m => m != canary).Select(m => m.Name), after.Where(m => m.Lives).Select(m => m.Name));
        Assert.Contains("deaths rise: ", await HistoryAsync(lab, "rolled back"), StringComparison.Ordinal);
        await lab.ConnectAsync(canary);
        await lab.ConvergedAsync(Good);
        await Task.Delay(Silence);
        await lab.TalkAsync();

        await TryAsync(lab, Better, "10s");
        await CanaryAsync(lab);
        await Task.Delay(Silence);
        await lab.TalkAsync();
        await HistoryAsync(lab, "through");
        await lab.ConvergedAsync(Better);
        await lab.TalkAsync();
    }

    private static Task<string> TryAsync(FleetLab lab, string tcp, string observe) =>
        lab.CommandAsync(["policy", "set", "-", "--canary", "10%", "--observe", observe], $$"""{ "gateways": [ { "name": "echo", "tcp": "{{tcp}}" } ] }""");

    // The one that has what is tried.
    private static async Task<FleetLab.Machine> CanaryAsync(FleetLab lab)
    {
        using var limit = new CancellationTokenSource(FleetLab.Patience);
        while (true)
        {
            foreach (FleetLab.Machine machine in lab.Machines)
                if (machine.Up.Transcript.Split('\n').LastOrDefault(l => l.Contains("in force", StringComparison.Ordinal))?.Contains("as one of the first", StringComparison.Ordinal) == true) return machine;
            await Task.Delay(50, limit.Token);
        }
    }

    // Once it says so.
    private static async Task<string> HistoryAsync(FleetLab lab, string text)
    {
        using var limit = new CancellationTokenSource(FleetLab.Patience);
        while (true)
        {
            string said = await lab.CommandAsync(["policy", "history"]);
            if (said.Contains(text, StringComparison.Ordinal)) return said;
            await Task.Delay(500, limit.Token);
        }
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
