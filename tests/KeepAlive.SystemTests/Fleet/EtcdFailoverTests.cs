using System.Text;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>The client while members of its etcd are killed, frozen, or without a quorum.</summary>
public sealed class EtcdFailoverTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_member_costs_no_change_and_no_write()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3);
        using EtcdClient etcd = Starting(cluster.Options with { CallTimeout = TimeSpan.FromSeconds(10) }, 0);
        long seen;
        await using (var watch = new FollowedWatch(etcd, "/w/", 0))
        {
            seen = (await watch.NextAsync()).Revision;
            await cluster.KillAsync(0);
            EtcdException ended = await Assert.ThrowsAsync<EtcdException>(() => watch.NextAsync());
            Assert.Equal(EtcdFault.Unreachable, ended.Fault);
        }

        await cluster.LeaderAsync(Cancel);
        // Were it back at the killed one, the write would go on too: nobody can have done what was never sent.
        using EtcdClient refused = Starting(cluster.Options with { CallTimeout = TimeSpan.FromSeconds(10) }, 0);
        Assert.True((await refused.CommitAsync([new EtcdCondition("/w/a", 0)], [new EtcdWrite("/w/a", "1"u8.ToArray())], Cancel)).Done);
        await using var again = new FollowedWatch(etcd, "/w/", seen + 1);
        Assert.Equal("1", Encoding.UTF8.GetString((await again.ChangeAsync()).Entry!.Value));
    }

    [Fact]
    public async Task Without_a_quorum_a_watch_ends_and_calls_say_so()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3);
        EtcdOptions options = cluster.Options with { CallTimeout = TimeSpan.FromSeconds(1) };
        using EtcdClient etcd = Starting(options, 0);
        await using var watch = new FollowedWatch(etcd, "/", 0);
        await watch.NextAsync();
        await cluster.FreezeAsync(1);
        await cluster.FreezeAsync(2);
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", () => watch.NextAsync());
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", () => etcd.ReadAsync(new EtcdQuery("/"), Cancel));
        using EtcdClient alone = Starting(options with { Endpoints = [options.Endpoints[0]] }, 0);
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", () => alone.CommitAsync([], [new EtcdWrite("/a", [])], Cancel));
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", () => alone.GrantAsync(TimeSpan.FromSeconds(5), Cancel));
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", () => alone.RenewAsync(1, Cancel));
        await EtcdClientTests.FailsAsync(EtcdFault.NoLeader, "its cluster has no leader", async () => await new FollowedWatch(alone, "/", 0).NextAsync());
        await cluster.ThawAsync(1);
        await cluster.LeaderAsync(Cancel);
        using EtcdClient patient = Starting(cluster.Options, 0);
        await patient.ReadAsync(new EtcdQuery("/"), Cancel);
    }

    [Fact]
    public async Task A_frozen_member_is_found_by_a_silent_watch_and_a_write_to_it_is_not_repeated()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3);
        EtcdOptions options = cluster.Options with { CallTimeout = TimeSpan.FromSeconds(2), WatchSilence = TimeSpan.FromMilliseconds(300) };
        using EtcdClient etcd = Starting(options, 0), writer = Starting(options, 0);
        await using var watch = new FollowedWatch(etcd, "/", 0);
        await watch.NextAsync();
        await writer.ReadAsync(new EtcdQuery("/"), Cancel);
        await cluster.FreezeAsync(0);
        await EtcdClientTests.FailsAsync(EtcdFault.Unreachable, "no answer for 2s; whether it was written is not known", () => writer.CommitAsync([], [new EtcdWrite("/x", [])], Cancel));
        await EtcdClientTests.FailsAsync(EtcdFault.Unreachable, "no answer for 2s", () => watch.NextAsync());
        // Both have gone on to the next one.
        await cluster.LeaderAsync(Cancel);
        Assert.Equal(0, (await writer.ReadAsync(new EtcdQuery("/x"), Cancel)).Count);
        await cluster.ThawAsync(0);
    }

    [Fact]
    public async Task Who_gives_up_is_told_nothing_else()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        await cluster.FreezeAsync(0);
        using var end = new CancellationTokenSource();
        Task<EtcdRange> read = etcd.ReadAsync(new EtcdQuery("/"), end.Token);
        Task<EtcdCommit> write = etcd.CommitAsync([], [new EtcdWrite("/", [])], end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    private static EtcdClient Starting(EtcdOptions options, int first) => new(options, new EtcdTransport(options), first);
}
