using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>An etcd that wants a certificate, a user and a password, and lets each user see one fleet.</summary>
[Collection(Alone.Name)] // etcd reckons a password for a tenth of a second of a processor that is idle
public sealed class SecuredFleetTests : IDisposable
{
    private const string Password = "correct horse battery";

    private readonly WorkFolder _work = new();
    private readonly List<WorkFolder> _folders = [];
    private readonly Authority _authority = new();
    private readonly Authority _stranger = new("strange root");
    private readonly (string Certificate, string Key) _client;

    // With users, etcd's gateway takes no certificate that has a CommonName.
    public SecuredFleetTests() => _client = _authority.Issue("client", usage: Authority.Clients, subject: "O=keepalive");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        foreach (WorkFolder folder in (WorkFolder[])[_work, .. _folders]) folder.Dispose();
    }

    [Fact]
    public async Task Who_has_all_of_it_is_in_the_fleet_and_who_has_not_is_told_why_in_a_line()
    {
        await using EtcdCluster etcd = await EtcdCluster.StartAsync(1, new EtcdClusterOptions { Authority = _authority, AsksClients = true });
        await etcd.AddUserAsync("web", Password, "/keepalive/web/");
        await etcd.EnableAuthenticationAsync();
        await using UpProcess up = await UpAsync(Environment(etcd, "web"));
        await up.WaitForAsync("fleet", 1, "is in the fleet 'web'");
        string policy = _work.File("policy.json");
        await File.WriteAllTextAsync(policy, """{ "gateways": [ { "tcp": "41:3:7" } ] }""");
        Assert.Equal((0, "policy 1 is in force on 1 of 1 machine"), await FleetAsync(Environment(etcd, "web"), "policy", "set", policy, "--wait"));
        await up.WaitForAsync("fleet", 1, "policy 1 of ");

        await using UpProcess outside = await UpAsync(Environment(etcd, "db"));
        string away = (await outside.WaitForAsync("fleet-away", 1)).GetProperty("text").GetString()!;
        Assert.Contains("user 'web'", away, StringComparison.Ordinal);
        Assert.Equal(0, await outside.StopAsync());

        (int code, string line) = await FleetAsync(Environment(etcd, "web", ("KEEPALIVE_FLEET_CA", _stranger.RootFile)), "list");
        Assert.Equal(1, code);
        Assert.Contains(_stranger.RootFile, line, StringComparison.Ordinal);
        (code, line) = await FleetAsync(Environment(etcd, "web", ("KEEPALIVE_FLEET_PASSWORD", "wrong")), "list");
        Assert.Equal(1, code);
        Assert.Contains("user 'web' and this password do not go together", line, StringComparison.Ordinal);
        (string Certificate, string Key) named = _authority.Issue("client", usage: Authority.Clients);
        (code, line) = await FleetAsync(Environment(etcd, "web", ("KEEPALIVE_FLEET_CERT", named.Certificate), ("KEEPALIVE_FLEET_KEY", named.Key)), "list");
        Assert.Equal(1, code);
        Assert.Contains("no client certificate that has a CommonName: issue ours without one", line, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, up.Transcript + outside.Transcript, StringComparison.Ordinal);
    }

    private Dictionary<string, string> Environment(EtcdCluster etcd, string fleet, params (string Name, string Value)[] others)
    {
        var all = new Dictionary<string, string>
        {
            ["KEEPALIVE_FLEET"] = etcd.Endpoints,
            ["KEEPALIVE_FLEET_NAME"] = fleet,
            ["KEEPALIVE_FLEET_USER"] = "web",
            ["KEEPALIVE_FLEET_PASSWORD"] = Password,
            ["KEEPALIVE_FLEET_CA"] = _authority.RootFile,
            ["KEEPALIVE_FLEET_CERT"] = _client.Certificate,
            ["KEEPALIVE_FLEET_KEY"] = _client.Key,
            ["KEEPALIVE_MACHINE"] = $"of-{fleet}",
            ["KEEPALIVE_PAGE"] = "off",
            ["KEEPALIVE_PATHS"] = _work.File($"{fleet}.json"),
        };
        foreach ((string name, string value) in others) all[name] = value;
        return all;
    }

    private async Task<UpProcess> UpAsync(Dictionary<string, string> environment)
    {
        var folder = new WorkFolder();
        _folders.Add(folder);
        return await UpProcess.StartAsync(folder, """{ "gateways": [ { "name": "any", "listen": "127.0.0.1:0", "to": "127.0.0.1:9", "noCheck": true } ] }""", environment: environment);
    }

    // The code, and the last line that is said.
    private static async Task<(int Code, string Line)> FleetAsync(Dictionary<string, string> environment, params string[] command)
    {
        await using ChildProcess process = await ChildProcess.StartAsync([UpProcess.Program, "fleet", .. command], environment: environment);
        await process.WaitForExitAsync(FleetLab.Patience);
        return (process.ExitCode, process.Lines[^1]);
    }
}
