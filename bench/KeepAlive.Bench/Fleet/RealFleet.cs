using System.Collections.Concurrent;
using System.Diagnostics;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Bench.Fleet;

/// <summary>Many real members of a fleet in this process, each with an etcd client of its own, counted call by call.</summary>
internal sealed class RealFleet : IAsyncDisposable
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(EtcdClient Etcd, FleetMember Member, Task Run)> _members = [];
    private readonly EtcdOptions _options;
    private readonly EtcdClient _own;

    public RealFleet(Uri[] endpoints, int seconds)
    {
        _options = new EtcdOptions { Endpoints = endpoints };
        // What the bench asks beside them has time: the machine is busy with a fleet, and an etcd that writes a hundred keys at once.
        (_own, Tally) = (new EtcdClient(_options with { CallTimeout = TimeSpan.FromSeconds(30) }), new FleetTally(seconds));
        Store = new FleetStore(_own, new FleetKeys("bench"), TimeProvider.System);
    }

    public FleetTally Tally { get; }

    public FleetStore Store { get; }

    /// <summary>For what is no member's.</summary>
    public EtcdClient Etcd => _own;

    /// <summary>Seconds since it was made.</summary>
    public double Now => Stopwatch.GetElapsedTime(_began).TotalSeconds;

    /// <summary>When machines had a policy, by its number.</summary>
    public ConcurrentDictionary<long, ConcurrentBag<double>> Applied { get; } = [];

    /// <summary>How many have an etcd that answers.</summary>
    public int Joined => _members.Count(m => m.Member.IsJoined);

    /// <summary>What they told that is news to people.</summary>
    public ConcurrentDictionary<string, int> Told { get; } = [];

    /// <summary>Starts machines, evenly over a time.</summary>
    public async Task StartAsync(int machines, TimeSpan over)
    {
        for (int i = 0; i < machines; i++)
        {
            TimeSpan wait = (over * i / machines) - Stopwatch.GetElapsedTime(_began);
            if (wait > TimeSpan.FromMilliseconds(10)) await Task.Delay(wait).ConfigureAwait(false);
            Start($"machine-{i:D6}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_members.Select(m => m.Run)).ConfigureAwait(false);
        foreach (var member in _members) member.Etcd.Dispose();
        _own.Dispose();
        _stop.Dispose();
    }

    private void Start(string name)
    {
        var random = new Random(_members.Count);
        var transport = new EtcdTransport(_options, new Counting(this, EtcdTransport.Handler(_options)));
        var etcd = new EtcdClient(_options, transport, _members.Count % _options.Endpoints.Count);
        int changes = random.Next(1000);
        double looked = Now;
        var hooks = new FleetHooks
        {
            Apply = policy =>
            {
                if (policy is not null) Applied.GetOrAdd(policy.Number, _ => []).Add(Now);
                return Task.FromResult<string?>(null);
            },
            Digest = () =>
            {
                double now = Now;
                if (FleetDigest.HasChanged(TimeSpan.FromSeconds(now - looked), random)) changes++;
                looked = now;
                return FleetDigest.Of(changes);
            },
            Tell = (kind, _) => Told.AddOrUpdate(kind, 1, (_, n) => n + 1),
            Keep = _ => { },
            Kept = () => null,
        };
        var member = new FleetMember(etcd, new FleetStore(etcd, Store.Keys, TimeProvider.System), name, hooks, TimeProvider.System, random);
        _members.Add((etcd, member, Task.Run(() => member.RunAsync(_stop.Token))));
    }

    private sealed class Counting(RealFleet fleet, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            FleetCall? call = request.RequestUri!.AbsolutePath switch
            {
                "/v3/kv/range" => FleetCall.Range,
                "/v3/kv/txn" => FleetCall.Txn,
                "/v3/lease/grant" => FleetCall.Grant,
                "/v3/lease/keepalive" => FleetCall.Renew,
                "/v3/lease/revoke" => FleetCall.Revoke,
                "/v3/watch" => FleetCall.Watch,
                _ => null, // whether a silent watch still lives
            };
            double at = fleet.Now;
            try
            {
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (call is { } made) fleet.Tally.Add(at, made);
                return answer;
            }
            catch
            {
                fleet.Tally.Add(at, FleetCall.Failed);
                throw;
            }
        }
    }
}
