using System.Text;
using System.Text.Json.Nodes;
using KeepAlive.Core;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>
/// Members are killed and frozen, daemons restarted, keys overwritten with garbage, revisions compacted, policies set, all of it at random: no flow is
/// dropped by any of it, and once it is over all machines have the policy that was set last.
/// </summary>
[Collection(Alone.Name)]
public sealed class FleetChaosTests
{
    private const int Members = 3;
    private static readonly string[] Keys = ["policy/current", "policy/rollout", "policy/judge", "policy/more", "machines/m02", "machines/..", "paths/a/b", "paths/10.0.0.0-24/10.0.1.0-24", "history/000000001", "history/x", "measuring/a"];

    // KEEPALIVE_SOAK_FLEET is the script's: a duration.
    private static readonly TimeSpan Length = Duration.TryParse(Environment.GetEnvironmentVariable("KEEPALIVE_SOAK_FLEET") ?? "10s", out TimeSpan length) ? length
        : throw new InvalidOperationException("KEEPALIVE_SOAK_FLEET is not a duration such as 10m");

    private readonly Random _random;
    private readonly int _seed = Random.Shared.Next();
    private readonly HashSet<int> _down = [];
    private readonly Dictionary<string, int> _done = [];
    private int _policies;

    public FleetChaosTests() => _random = new Random(_seed);

    [Fact]
    public async Task Whatever_happens_no_flow_is_dropped_and_all_have_the_last_policy()
    {
        Requires.Lab();
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(Members);
        await using FleetLab lab = await FleetLab.StartAsync(etcd, 5);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (watch.Elapsed < Length)
        {
            (string name, Func<Task> act) = Next(etcd, lab);
            _done[name] = _done.GetValueOrDefault(name) + 1;
            await act();
            await lab.TalkAsync();
            await Task.Delay(_random.Next(300));
        }

        foreach (int member in _down.ToArray()) await UpAsync(etcd, member);
        string last = Policy();
        await lab.SetAsync(last);
        await lab.ConvergedAsync(last);
        await lab.TalkAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {_seed}: {string.Join(", ", _done.OrderBy(d => d.Key).Select(d => $"{d.Value} x {d.Key}"))}");
        foreach (FleetLab.Machine machine in lab.Machines)
        {
            Assert.Equal(0, machine.Up.Count("died"));
            Assert.DoesNotContain("   at ", machine.Up.Transcript, StringComparison.Ordinal); // no stack of ours
        }
    }

    private (string Name, Func<Task> Act) Next(EtcdCluster etcd, FleetLab lab)
    {
        int member = _random.Next(Members);
        switch (_random.Next(8))
        {
            case 0 when _down.Count == 0:
                return ("member killed", async () =>
                {
                    _down.Add(member);
                    await etcd.KillAsync(member);
                }
                );
            case 1 when _down.Count < Members: // without a quorum, too
                return ("member killed, perhaps the quorum", async () =>
                {
                    if (_down.Add(member)) await etcd.KillAsync(member);
                }
                );
            case 2 or 3 when _down.Count > 0:
                return ("member back", () => UpAsync(etcd, _down.ElementAt(_random.Next(_down.Count))));
            case 4 when _down.Count == 0:
                return ("member frozen", async () =>
                {
                    await etcd.FreezeAsync(member);
                    await Task.Delay(_random.Next(2000));
                    await etcd.ThawAsync(member);
                }
                );
            case 5 when _down.Count <= 1:
                return ("garbage", () => PutAsync(etcd, Keys[_random.Next(Keys.Length)]));
            case 6 when _down.Count == 0:
                return ("compaction", () => CompactAsync(etcd));
            case 7:
                return ("daemon restarted", () => RestartAsync(lab, lab.Machines[_random.Next(lab.Machines.Count)]));
            default:
                return _down.Count > 1 ? ("nothing", () => Task.CompletedTask) : ("policy set", () => lab.SetAsync(Policy()));
        }
    }

    private string Policy() => $"{40 + (++_policies % 1000)}:3:7";

    private async Task UpAsync(EtcdCluster etcd, int member)
    {
        _down.Remove(member);
        await etcd.RestartAsync(member, waits: _down.Count <= 1);
    }

    private async Task PutAsync(EtcdCluster etcd, string key)
    {
        byte[] value = new byte[_random.Next(200)];
        _random.NextBytes(value);
        if (_random.Next(3) == 0) value = Encoding.UTF8.GetBytes("""{"number":5,"by":"x","at":"2026-01-01T00:00:00+00:00","comment":"","text":"{ \"gateways\": 3 }"}""");
        string path = _random.Next(4) == 0 ? "/v3/kv/deleterange" : "/v3/kv/put";
        var body = new JsonObject { ["key"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"/keepalive/{FleetLab.Fleet}/{key}")) };
        if (path.EndsWith("put", StringComparison.Ordinal)) body["value"] = Convert.ToBase64String(value);
        await TryAsync(() => etcd.PostAsync(path, body));
    }

    private static Task CompactAsync(EtcdCluster etcd) => TryAsync(async () =>
    {
        JsonNode answer = await etcd.PostAsync("/v3/kv/range", new JsonObject { ["key"] = "AA==", ["count_only"] = true });
        await etcd.PostAsync("/v3/kv/compaction", new JsonObject { ["revision"] = answer["header"]!["revision"]!.ToString() });
    });

    // What is done to etcd while it is in trouble need not be done.
    private static async Task TryAsync(Func<Task> act)
    {
        try
        {
            await act().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException or OperationCanceledException or InvalidOperationException)
        {
            // A leader is being elected, or the revision is compacted already.
        }
    }

    private static async Task RestartAsync(FleetLab lab, FleetLab.Machine machine)
    {
        Assert.Equal(0, machine.Up.Count("died"));
        foreach (Line client in machine.Clients) client.Dispose();
        machine.Clients.Clear();
        if (Random.Shared.Next(2) == 0) await machine.Up.SignalAsync("KILL");
        else await machine.Up.StopAsync();
        await machine.Up.DisposeAsync();
        await lab.StartAsync(machine);
        await lab.ConnectAsync(machine);
    }
}
