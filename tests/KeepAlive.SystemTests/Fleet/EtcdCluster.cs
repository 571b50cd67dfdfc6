using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>What is not usual about a cluster.</summary>
internal sealed record EtcdClusterOptions
{
    /// <summary>Clients come by TLS, and this one issues the certificates; null: plain.</summary>
    public Authority? Authority { get; init; }

    /// <summary>With TLS: a client has to have a certificate of that authority.</summary>
    public bool AsksClients { get; init; }

    /// <summary>What the members' certificates are good for. etcd's JSON gateway calls its own member by TLS, with the member's certificate as the client's.</summary>
    public string MemberUsage { get; init; } = $"{Authority.Servers} {Authority.Clients}";

    /// <summary>Whom they are for; null: each for its own address.</summary>
    public string? MemberName { get; init; }

    /// <summary>How long from yesterday on they are valid; negative for ones that are over.</summary>
    public TimeSpan? MemberValidFor { get; init; }

    /// <summary>On a host of the lab, a port after another; null: on this machine, each on an address of its own.</summary>
    public NetworkSpace? Inside { get; init; }

    /// <summary>More arguments of etcd; they come last, so they win.</summary>
    public IReadOnlyList<string> More { get; init; } = [];
}

/// <summary>
/// Members of a real etcd, that can be killed, frozen, and started again with what they have on disk. Members are counted from 0.
/// </summary>
/// <remarks>
/// On this machine each has an address of its own in 127.64.0.0/10, with etcd's usual ports: nobody else binds there, and nobody connects from
/// there, so that a member finds its ports free when it comes back. A clash is met with other addresses.
/// </remarks>
internal sealed class EtcdCluster : IAsyncDisposable
{
    private const int Attempts = 5;
    private const int ClientPort = 2379;

    private readonly WorkFolder _work = new();
    private readonly EtcdClusterOptions _options;
    private readonly List<EtcdMember> _members = [];
    private readonly EtcdAdministrator _administrator;

    private EtcdCluster(int count, EtcdClusterOptions options)
    {
        _options = options;
        int second = Random.Shared.Next(64, 128), third = Random.Shared.Next(256);
        IPAddress AddressOf(int i) => options.Inside?.Address ?? new IPAddress([127, (byte)second, (byte)third, (byte)(i + 1)]);
        int PortOf(int i) => options.Inside is null ? ClientPort : ClientPort + (10 * i);
        string initial = string.Join(',', Enumerable.Range(0, count).Select(i => $"m{i}=http://{AddressOf(i)}:{PortOf(i) + 1}"));
        for (int i = 0; i < count; i++)
        {
            string[] tls = [];
            if (options.Authority is { } authority)
            {
                (string certificate, string key) = authority.Issue(options.MemberName ?? $"{AddressOf(i)}", options.MemberValidFor, options.MemberUsage);
                tls = ["--cert-file", certificate, "--key-file", key, .. (string[])(options.AsksClients ? ["--client-cert-auth", "--trusted-ca-file", authority.RootFile] : [])];
            }

            string client = $"{(tls.Length > 0 ? "https" : "http")}://{AddressOf(i)}:{PortOf(i)}", peer = $"http://{AddressOf(i)}:{PortOf(i) + 1}";
            _members.Add(new EtcdMember(new Uri(client), options.Inside, ["--name", $"m{i}", "--data-dir", _work.File($"m{i}"), "--unsafe-no-fsync",
                "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", initial, "--initial-cluster-token", _work.Path, "--heartbeat-interval", "50", "--election-timeout", "500", .. tls, .. options.More]));
        }

        _administrator = new EtcdAdministrator(options);
    }

    /// <summary>Where clients go, by member.</summary>
    public IReadOnlyList<Uri> EndpointList => [.. _members.Select(m => m.Endpoint)];

    /// <summary>The same with commas, as a user writes it.</summary>
    public string Endpoints => string.Join(',', _members.Select(m => m.Endpoint.GetLeftPart(UriPartial.Authority)));

    /// <summary>For a client that may do everything, as long as nobody has added users.</summary>
    public EtcdOptions Options => new()
    {
        Endpoints = EndpointList,
        CaFile = _options.Authority?.RootFile,
        CertificateFile = _administrator.CertificateFile,
        KeyFile = _administrator.KeyFile,
        CallTimeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>All that its members have printed.</summary>
    public string Transcript => string.Join('\n', _members.Select(m => m.Transcript));

    /// <summary>Starts it, and waits until it has a leader and every member answers.</summary>
    /// <param name="count">How many members: 1 or 3.</param>
    /// <param name="options">What is not usual; null: nothing.</param>
    public static async Task<EtcdCluster> StartAsync(int count = 1, EtcdClusterOptions? options = null)
    {
        for (int attempt = 1; ; attempt++)
        {
            var cluster = new EtcdCluster(count, options ?? new EtcdClusterOptions());
            try
            {
                await Task.WhenAll(cluster._members.Select(m => m.StartAsync()));
                return cluster;
            }
            catch (InvalidOperationException) when (attempt < Attempts && cluster.Transcript.Contains("address already in use", StringComparison.Ordinal))
            {
                await cluster.DisposeAsync();
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Ends a member at once (SIGKILL). What it has written stays.</summary>
    public Task KillAsync(int member) => _members[member].KillAsync();

    /// <summary>Starts a killed member again, with what it has on disk.</summary>
    /// <param name="member">Which.</param>
    /// <param name="waits">Until it answers: not without a quorum.</param>
    public Task RestartAsync(int member, bool waits = true) => _members[member].StartAsync(waits);

    /// <summary>Stops a member (SIGSTOP): its kernel goes on to acknowledge.</summary>
    public Task FreezeAsync(int member) => _members[member].SignalAsync("STOP");

    /// <summary>Lets a frozen member go on.</summary>
    public Task ThawAsync(int member) => _members[member].SignalAsync("CONT");

    /// <summary>Which member leads; waits until there is one. Members that are killed or frozen are not asked.</summary>
    public async Task<int> LeaderAsync(CancellationToken cancel = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            for (int i = 0; i < _members.Count; i++)
            {
                if (_members[i].IsUp && await _administrator.IsLeaderAsync(_members[i].Endpoint, limit.Token)) return i;
            }

            await Task.Delay(50, limit.Token);
        }
    }

    /// <summary>Sends JSON to a path of the API, such as <c>/v3/kv/compaction</c>, as somebody who may do everything, by a member that is up.</summary>
    public Task<JsonNode> PostAsync(string path, JsonObject body, CancellationToken cancel = default) =>
        _administrator.PostAsync(_members.First(m => m.IsUp).Endpoint, path, body, cancel);

    /// <summary>From now on a client needs a user: <see cref="AddUserAsync"/>.</summary>
    public async Task EnableAuthenticationAsync(CancellationToken cancel = default)
    {
        string password = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        await PostAsync("/v3/auth/user/add", new JsonObject { ["name"] = "root", ["password"] = password }, cancel);
        await PostAsync("/v3/auth/role/add", new JsonObject { ["name"] = "root" }, cancel);
        await PostAsync("/v3/auth/user/grant", new JsonObject { ["user"] = "root", ["role"] = "root" }, cancel);
        await PostAsync("/v3/auth/enable", [], cancel);
        _administrator.RootPassword = password;
    }

    /// <summary>A user who may read and write the keys that begin with a prefix, and nothing else.</summary>
    public async Task AddUserAsync(string name, string password, string prefix, CancellationToken cancel = default)
    {
        byte[] key = System.Text.Encoding.UTF8.GetBytes(prefix), end = [.. key];
        end[^1]++;
        await PostAsync("/v3/auth/user/add", new JsonObject { ["name"] = name, ["password"] = password }, cancel);
        await PostAsync("/v3/auth/role/add", new JsonObject { ["name"] = name }, cancel);
        await PostAsync("/v3/auth/role/grant", new JsonObject
        {
            ["name"] = name,
            ["perm"] = new JsonObject { ["permType"] = "READWRITE", ["key"] = Convert.ToBase64String(key), ["range_end"] = Convert.ToBase64String(end) },
        }, cancel);
        await PostAsync("/v3/auth/user/grant", new JsonObject { ["user"] = name, ["role"] = name }, cancel);
    }

    /// <summary>Forgets all revisions before one.</summary>
    public Task CompactAsync(long revision, CancellationToken cancel = default) =>
        PostAsync("/v3/kv/compaction", new JsonObject { ["revision"] = revision, ["physical"] = true }, cancel);

    public async ValueTask DisposeAsync()
    {
        foreach (EtcdMember member in _members) await member.DisposeAsync();
        _administrator.Dispose();
        _work.Dispose();
    }
}
