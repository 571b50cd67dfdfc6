using System.Text;
using System.Threading.Channels;
using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>The client against a real etcd in good health, and in the ways it has to be unwell.</summary>
[Collection(FleetLab.Collection)]
public sealed class EtcdClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_and_commits_what_conditions_allow()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        EtcdCommit made = await etcd.CommitAsync([new EtcdCondition("/a/x", 0)], [new EtcdWrite("/a/x", "1"u8.ToArray()), new EtcdWrite("/a/y", [])], Cancel);
        Assert.True(made.Done);
        Assert.False((await etcd.CommitAsync([new EtcdCondition("/a/x", 0)], [new EtcdWrite("/a/x", "2"u8.ToArray())], Cancel)).Done);
        Assert.False((await etcd.CommitAsync([new EtcdCondition("/a/x", made.Revision - 1)], [new EtcdWrite("/a/x", "2"u8.ToArray())], Cancel)).Done);
        EtcdEntry read = Assert.Single((await etcd.ReadAsync(new EtcdQuery("/a/x"), Cancel)).Entries);
        Assert.Equal(("/a/x", "1", made.Revision, made.Revision, 0L), (read.Key, Encoding.UTF8.GetString(read.Value), read.Created, read.Modified, read.Lease));
        Assert.Empty(Assert.Single((await etcd.ReadAsync(new EtcdQuery("/a/y"), Cancel)).Entries).Value);

        EtcdCommit changed = await etcd.CommitAsync([new EtcdCondition("/a/x", made.Revision)], [new EtcdWrite("/a/x", "3"u8.ToArray()), new EtcdWrite("/a/y", null)], Cancel);
        Assert.True(changed.Done);
        EtcdRange all = await etcd.ReadAsync(new EtcdQuery("/a/") { IsPrefix = true }, Cancel);
        Assert.Equal((changed.Revision, 1L, "/a/x"), (all.Revision, all.Count, Assert.Single(all.Entries).Key));
        Assert.Empty((await etcd.ReadAsync(new EtcdQuery("/nothing"), Cancel)).Entries);
    }

    [Fact]
    public async Task Its_connections_are_kept_alive_so_that_a_vanished_node_is_found()
    {
        Requires.Programs("ss");
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        await using var watch = new FollowedWatch(etcd, "/", 0);
        await watch.NextAsync();
        // The watch's; etcd's own connections to itself have Go's 15 s or more. 4.952 s is "4.952ms" to ss.
        Assert.Matches(@"timer:\(keepalive,([0-5](\.\d+ms|sec)|\d+ms)", await ChildProcess.RunAsync(["ss", "-Htno", "dst", cluster.EndpointList[0].Host]));
    }

    [Fact]
    public async Task Pages_go_either_way_and_neighbours_of_a_prefix_are_not_in_it()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        await etcd.CommitAsync([], [.. "/p. /p/1 /p/2 /p/3 /p/ü /p0 /p".Split(' ').Select(key => new EtcdWrite(key, []))], Cancel);
        Assert.Equal("/p/1 /p/2; /p/3 /p/ü; ", await PagesAsync(false));
        Assert.Equal("/p/ü /p/3; /p/2 /p/1; ", await PagesAsync(true));
        EtcdRange count = await etcd.ReadAsync(new EtcdQuery("/p/") { IsPrefix = true, IsCount = true }, Cancel);
        Assert.Equal((4L, 0), (count.Count, count.Entries.Count));
        Assert.Equal(7, (await etcd.ReadAsync(new EtcdQuery("") { IsPrefix = true }, Cancel)).Count);

        async Task<string> PagesAsync(bool isDescending)
        {
            var pages = new StringBuilder();
            string? after = null;
            do
            {
                EtcdRange page = await etcd.ReadAsync(new EtcdQuery("/p/") { IsPrefix = true, Limit = 2, IsDescending = isDescending, After = after }, Cancel);
                pages.Append(string.Join(' ', page.Entries.Select(e => e.Key)));
                after = page.Entries.Count > 0 ? page.Entries[^1].Key : null;
                if (after is not null) pages.Append("; ");
            }
            while (after is not null);
            return pages.ToString();
        }
    }

    [Fact]
    public async Task What_lives_under_a_lease_goes_with_it()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        long shortLife = await etcd.GrantAsync(TimeSpan.FromSeconds(1), Cancel), longLife = await etcd.GrantAsync(TimeSpan.FromMinutes(5), Cancel);
        EtcdCommit made = await etcd.CommitAsync([], [new EtcdWrite("/l/short", [], shortLife), new EtcdWrite("/l/long", [], longLife)], Cancel);
        Assert.True((await etcd.CommitAsync([new EtcdCondition("/l/long", 0) { Lease = longLife }], [], Cancel)).Done);
        Assert.False((await etcd.CommitAsync([new EtcdCondition("/l/long", 0) { Lease = shortLife }], [], Cancel)).Done);
        await etcd.RenewAsync(longLife, Cancel);

        await using var news = new FollowedWatch(etcd, "/l/", made.Revision + 1);
        EtcdChange gone = await news.ChangeAsync();
        Assert.Equal(("/l/short", (EtcdEntry?)null), (gone.Key, gone.Entry));
        await FailsAsync(EtcdFault.LeaseGone, "the lease is gone: take another", () => etcd.RenewAsync(shortLife, Cancel));
        await FailsAsync(EtcdFault.LeaseGone, "the lease is gone: take another", () => etcd.CommitAsync([], [new EtcdWrite("/l/late", [], shortLife)], Cancel));
        await etcd.RevokeAsync(longLife, Cancel);
        Assert.Equal("/l/long", (await news.ChangeAsync()).Key);
        await etcd.RevokeAsync(longLife, Cancel);
    }

    [Fact]
    public async Task A_watch_tells_what_changes_and_who_comes_too_late_that_it_is_compacted()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { More = ["--experimental-watch-progress-notify-interval", "200ms"] });
        using var etcd = new EtcdClient(cluster.Options);
        long first = (await etcd.CommitAsync([], [new EtcdWrite("/w/a", "1"u8.ToArray())], Cancel)).Revision;
        await using var news = new FollowedWatch(etcd, "/w/", first);
        EtcdNews begun = await news.NextAsync();
        Assert.Equal((first - 1, 0), (begun.Revision, begun.Changes.Count));
        EtcdChange a = await news.ChangeAsync();
        Assert.Equal(("/w/a", "1", first), (a.Key, Encoding.UTF8.GetString(a.Entry!.Value), a.Entry.Modified));
        await etcd.CommitAsync([], [new EtcdWrite("/elsewhere", [])], Cancel);
        long last = (await etcd.CommitAsync([], [new EtcdWrite("/w/a", null), new EtcdWrite("/w/b", [])], Cancel)).Revision;
        EtcdNews both = await news.NextAsync(n => n.Changes.Count > 0);
        Assert.Equal(last, both.Revision);
        Assert.Equal("/w/a -, /w/b +", string.Join(", ", both.Changes.Select(c => $"{c.Key} {(c.Entry is null ? "-" : "+")}")));
        EtcdNews sign = await news.NextAsync(n => n.Changes.Count == 0);
        Assert.Equal(last, sign.Revision);

        await cluster.CompactAsync(last, Cancel);
        await using var late = new FollowedWatch(etcd, "/w/", first);
        await FailsAsync(EtcdFault.Compacted, $"revision {first} is compacted away: read anew", async () => await late.NextAsync(n => n.Changes.Count > 0));
    }

    [Fact]
    public async Task Large_changes_come_in_pieces_and_are_told_as_one()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync();
        using var etcd = new EtcdClient(cluster.Options);
        byte[] value = new byte[400_000];
        long revision = 0;
        for (int i = 0; i < 12; i++) revision = (await etcd.CommitAsync([], [.. Enumerable.Range(0, 3).Select(k => new EtcdWrite($"/b/{i}/{k}", value))], Cancel)).Revision;
        await using var news = new FollowedWatch(etcd, "/b/", 1);
        int seen = 0;
        while (seen < 36) seen += (await news.NextAsync()).Changes.Count;
        Assert.Equal(36, (await etcd.ReadAsync(new EtcdQuery("/b/") { IsPrefix = true }, Cancel)).Entries.Count);
        await FailsAsync(EtcdFault.TooLarge, "more than it takes at once", () => etcd.CommitAsync([], [new EtcdWrite("/b", new byte[1_600_000])], Cancel));
        await FailsAsync(EtcdFault.TooLarge, "more than it takes at once", () => etcd.CommitAsync([], [new EtcdWrite("/b", new byte[3_000_000])], Cancel));
        await FailsAsync(EtcdFault.TooLarge, "--max-txn-ops", () => etcd.CommitAsync([], [.. Enumerable.Range(0, 129).Select(i => new EtcdWrite($"/{i}", []))], Cancel));
    }

    [Fact]
    public async Task A_full_database_says_so()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { More = ["--quota-backend-bytes", "1000000"] });
        using var etcd = new EtcdClient(cluster.Options);
        await FailsAsync(EtcdFault.NoSpace, "its database is full: compact and defragment it", async () =>
        {
            for (int i = 0; i < 20; i++) await etcd.CommitAsync([], [new EtcdWrite($"/full/{i}", new byte[200_000])], Cancel);
        });
        Assert.NotEmpty((await etcd.ReadAsync(new EtcdQuery("/full/") { IsPrefix = true }, Cancel)).Entries);
    }

    [Fact]
    public async Task With_its_gateway_off_etcd_says_nothing_and_the_client_says_why()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { More = ["--enable-grpc-gateway=false"] });
        using var etcd = new EtcdClient(cluster.Options);
        await FailsAsync(EtcdFault.NotEtcd, "JSON gateway on (--enable-grpc-gateway=true)?", () => etcd.ReadAsync(new EtcdQuery("/"), Cancel));
    }

    [Fact]
    public async Task Users_are_told_what_they_may_not_and_tokens_are_fetched_anew()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { More = ["--auth-token-ttl", "1"] });
        using var nobody = new EtcdClient(cluster.Options);
        using var user = new EtcdClient(cluster.Options with { User = "fleet", Password = () => "correct" });
        using var liar = new EtcdClient(cluster.Options with { User = "fleet", Password = () => "wr0ng-secret" });
        await FailsAsync(EtcdFault.Denied, "it has no authentication", () => user.ReadAsync(new EtcdQuery("/mine/a"), Cancel));
        await cluster.AddUserAsync("fleet", "correct", "/mine/", Cancel);
        await cluster.EnableAuthenticationAsync(Cancel);

        await user.CommitAsync([], [new EtcdWrite("/mine/a", [])], Cancel);
        await FailsAsync(EtcdFault.Denied, "user 'fleet' may not do this", () => user.CommitAsync([], [new EtcdWrite("/yours/a", [])], Cancel));
        await FailsAsync(EtcdFault.Denied, "user 'fleet' may not do this", () => user.ReadAsync(new EtcdQuery("/") { IsPrefix = true }, Cancel));
        await using var forbidden = new FollowedWatch(user, "/yours/", 0);
        await FailsAsync(EtcdFault.Denied, "user 'fleet' may not do this", async () => await forbidden.NextAsync());
        EtcdException wrong = await FailsAsync(EtcdFault.Denied, "user 'fleet' and this password do not go together", () => liar.ReadAsync(new EtcdQuery("/mine/a"), Cancel));
        Assert.DoesNotContain("wr0ng", wrong.ToString(), StringComparison.Ordinal);
        await FailsAsync(EtcdFault.Denied, "give a user and a password", () => nobody.ReadAsync(new EtcdQuery("/mine/a"), Cancel));

        // Tokens are in a member's memory alone: so this one is not known any more, to a call as little as to a watch.
        await cluster.KillAsync(0);
        await cluster.RestartAsync(0);
        await using var watch = new FollowedWatch(user, "/mine/", 0);
        await watch.NextAsync();
        long lease = await user.GrantAsync(TimeSpan.FromMinutes(1), Cancel);
        await user.CommitAsync([], [new EtcdWrite("/mine/b", [], lease)], Cancel);
        Assert.Equal("/mine/b", (await watch.ChangeAsync()).Key);
        await cluster.KillAsync(0);
        await cluster.RestartAsync(0);
        Assert.Equal(2, (await user.ReadAsync(new EtcdQuery("/mine/") { IsPrefix = true }, Cancel)).Count);
        await user.RenewAsync(lease, Cancel);
        await user.RevokeAsync(lease, Cancel);
    }

    /// <summary>That it fails so, in one line that names an endpoint.</summary>
    internal static async Task<EtcdException> FailsAsync(EtcdFault fault, string saying, Func<Task> call)
    {
        EtcdException e = await Assert.ThrowsAsync<EtcdException>(() => call().WaitAsync(Patience));
        Assert.Contains(saying, e.Message, StringComparison.Ordinal);
        Assert.Equal(fault, e.Fault);
        Assert.Matches("^etcd at https?://[^\n]+$", e.Message);
        return e;
    }
}

/// <summary>A watch that is followed on its own; what ends it comes to whoever asks next.</summary>
internal sealed class FollowedWatch : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<EtcdNews> _news = Channel.CreateUnbounded<EtcdNews>();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _following;

    public FollowedWatch(EtcdClient etcd, string prefix, long from) => _following = FollowAsync(etcd, prefix, from);

    public Task<EtcdNews> NextAsync() => NextAsync(_ => true);

    public async Task<EtcdNews> NextAsync(Func<EtcdNews, bool> wanted)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                if (await _news.Reader.ReadAsync(limit.Token) is var one && wanted(one)) return one;
            }
        }
        catch (ChannelClosedException e) when (e.InnerException is EtcdException ended)
        {
            throw new EtcdException(ended.Fault, ended.Message, ended);
        }
    }

    /// <summary>The one change of the next news that has any.</summary>
    public async Task<EtcdChange> ChangeAsync() => Assert.Single((await NextAsync(n => n.Changes.Count > 0)).Changes);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _following.WaitAsync(Patience);
        _end.Dispose();
    }

    private async Task FollowAsync(EtcdClient etcd, string prefix, long from)
    {
        try
        {
            await foreach (EtcdNews one in etcd.WatchAsync(prefix, from, _end.Token)) _news.Writer.TryWrite(one);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
        }
        catch (EtcdException e)
        {
            _news.Writer.TryComplete(e);
        }
    }
}
