using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>TLS with a real etcd: the good way, and each bad one told in one line.</summary>
[Collection(FleetLab.Collection)]
public sealed class EtcdTlsTests : IDisposable
{
    private readonly Authority _authority = new(), _stranger = new("strange root");
    private readonly WorkFolder _work = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _work.Dispose();
    }

    [Fact]
    public async Task The_server_is_verified()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority });
        Uri endpoint = cluster.EndpointList[0];
        using var etcd = new EtcdClient(cluster.Options);
        await etcd.CommitAsync([], [new EtcdWrite("/a", [])], Cancel);
        await using var watch = new FollowedWatch(etcd, "/", 1);
        Assert.Equal("/a", (await watch.ChangeAsync()).Key);

        await RefusedAsync(cluster.Options with { CaFile = _stranger.RootFile }, $"its certificate is issued by 'lab root issuing', not by {_stranger.RootFile}");
        await RefusedAsync(cluster.Options with { CaFile = null }, "by nobody whom this machine trusts: give its authority as CA file");
        await RefusedAsync(cluster.Options with { CaFile = _work.File("none") }, $"cannot read {_work.File("none")}: ");
        string empty = _work.File("empty");
        await File.WriteAllTextAsync(empty, "nothing", Cancel);
        await RefusedAsync(cluster.Options with { CaFile = empty }, $"{empty} holds no certificate");
        await FailsAsync(EtcdFault.Unreachable, cluster.Options with { Endpoints = [new UriBuilder(endpoint) { Scheme = "http" }.Uri] }, "write https:// in place of http://");

        // A file that is put right is taken by the next connection.
        string renewed = _work.File("renewed");
        File.Copy(_stranger.RootFile, renewed);
        using var same = new EtcdClient(cluster.Options with { CaFile = renewed });
        await EtcdClientTests.FailsAsync(EtcdFault.Certificate, "its certificate is issued by", () => same.ReadAsync(new EtcdQuery("/"), Cancel));
        File.Copy(_authority.RootFile, renewed, overwrite: true);
        await same.ReadAsync(new EtcdQuery("/"), Cancel);
    }

    [Fact]
    public async Task A_server_that_is_over_or_another_or_speaks_no_TLS_is_told()
    {
        await using EtcdCluster over = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority, MemberValidFor = TimeSpan.FromDays(-1) });
        await using EtcdCluster other = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority, MemberName = Authority.ServerName });
        await using EtcdCluster plain = await EtcdCluster.StartAsync();
        await RefusedAsync(over.Options, "UTC: renew its --cert-file, or set the clock");
        await RefusedAsync(other.Options, $"its certificate is for '{Authority.ServerName}', not for '{other.EndpointList[0].Host}'");
        await FailsAsync(EtcdFault.Unreachable, plain.Options with { Endpoints = [new UriBuilder(plain.EndpointList[0]) { Scheme = "https" }.Uri] }, "write http:// in place of https://");
    }

    [Fact]
    public async Task The_client_is_verified_where_etcd_asks_for_it()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority, AsksClients = true });
        using var etcd = new EtcdClient(cluster.Options);
        await etcd.ReadAsync(new EtcdQuery("/"), Cancel);
        string both = _work.File("both");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(cluster.Options.CertificateFile!, Cancel) + await File.ReadAllTextAsync(cluster.Options.KeyFile!, Cancel), Cancel);
        using var one = new EtcdClient(cluster.Options with { CertificateFile = both, KeyFile = null });
        await one.ReadAsync(new EtcdQuery("/"), Cancel);

        await RefusedAsync(cluster.Options with { CertificateFile = null, KeyFile = null }, "it asks for a client certificate (--client-cert-auth): give one");
        await RefusedAsync(With(_stranger.Issue("client", usage: Authority.Clients)), "is issued by 'strange root issuing': give one issued by an authority in its --trusted-ca-file");
        await RefusedAsync(With(_authority.Issue("client", TimeSpan.FromDays(-1), Authority.Clients)), "UTC: renew it");
        await RefusedAsync(With(_authority.Issue("client")), "is not good for clients: issue it with clientAuth");
        (string certificate, string key) = _authority.Issue("client", usage: Authority.Clients);
        await RefusedAsync(With((certificate, _authority.Issue("client").Key)), "is not the key of the first certificate in");
        await RefusedAsync(With((certificate, certificate)), "is not the key of the first certificate in");
        await RefusedAsync(With((key, key)), $"{key} holds no certificate");
        await RefusedAsync(With((certificate, _work.File("none"))), $"cannot read {_work.File("none")}: ");

        EtcdOptions With((string Certificate, string Key) files) => cluster.Options with { CertificateFile = files.Certificate, KeyFile = files.Key };
    }

    [Fact]
    public async Task A_gateway_that_may_not_call_its_own_member_is_told()
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority, AsksClients = true, MemberUsage = Authority.Servers });
        await FailsAsync(EtcdFault.Unreachable, cluster.Options, "its --cert-file is not good for clients too (clientAuth");
    }

    private static Task RefusedAsync(EtcdOptions options, string saying) => FailsAsync(EtcdFault.Certificate, options, saying);

    private static async Task FailsAsync(EtcdFault fault, EtcdOptions options, string saying)
    {
        using var etcd = new EtcdClient(options);
        await EtcdClientTests.FailsAsync(fault, saying, () => etcd.CommitAsync([], [new EtcdWrite("/bad", [])], Cancel));
    }
}
