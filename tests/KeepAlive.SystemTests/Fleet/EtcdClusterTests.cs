using System.Text.Json.Nodes;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>The lab itself: members come, go, freeze and come back with what they had.</summary>
public sealed class EtcdClusterTests
{
    [Fact]
    public async Task Another_leads_when_the_leader_is_killed_or_frozen_and_a_member_comes_back_with_its_data()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3);
        int first = await cluster.LeaderAsync(cancel);
        await cluster.PostAsync("/v3/kv/put", new JsonObject { ["key"] = "L2E=", ["value"] = "dg==" }, cancel);
        await cluster.KillAsync(first);
        int second = await cluster.LeaderAsync(cancel);
        Assert.NotEqual(first, second);
        await cluster.RestartAsync(first);
        await cluster.FreezeAsync(second);
        int third = await cluster.LeaderAsync(cancel);
        Assert.NotEqual(second, third);
        await cluster.ThawAsync(second);
        Assert.Equal("dg==", (await cluster.PostAsync("/v3/kv/range", new JsonObject { ["key"] = "L2E=" }, cancel))["kvs"]![0]!["value"]!.ToString());
    }

    [Fact]
    public async Task It_runs_on_a_host_of_the_lab_too()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3, new EtcdClusterOptions { Inside = lab.Server });
        await cluster.LeaderAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith($"http://{lab.Server.Address}:2379,", cluster.Endpoints, StringComparison.Ordinal);
    }
}
