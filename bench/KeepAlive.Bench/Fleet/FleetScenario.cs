using KeepAlive.Fleet;

namespace KeepAlive.Bench.Fleet;

/// <summary>What happens to a fleet, and when: the simulated one and the real one go through the same. Seconds.</summary>
/// <param name="Machines">How many.</param>
internal sealed record FleetScenario(int Machines)
{
    private readonly FleetPace _pace = new(Machines);

    /// <summary>All of them are started, evenly, in this time.</summary>
    public double StartOver { get; init; } = Math.Max(60, Machines / 1000.0);

    /// <summary>Nothing happens but flows: at least two rounds of digests.</summary>
    public double Quiet { get; init; } = Math.Max(60, 2 * new FleetPace(Machines).DigestEvery.TotalSeconds);

    /// <summary>After a policy was set.</summary>
    public double AfterPolicy { get; init; } = Math.Max(30, 2 * new FleetPace(Machines).Spread.TotalSeconds);

    /// <summary>How long canaries are watched.</summary>
    public double Observe { get; init; } = Math.Max(60, 2 * new FleetPace(Machines).DigestEvery.TotalSeconds);

    /// <summary>How long etcd is away.</summary>
    public double Away { get; init; } = 30;

    /// <summary>After it is back.</summary>
    public double AfterAway { get; init; } = Math.Max(60, 3 * new FleetPace(Machines).Spread.TotalSeconds);

    /// <summary>Bytes of a policy's text.</summary>
    public int PolicyBytes { get; init; } = 2000;

    /// <summary>How many machines are restarted in a day.</summary>
    public double RestartsPerDay { get; init; } = Machines / 7.0;

    /// <summary>Percent of the machines.</summary>
    public double Canaries { get; init; } = 5;

    /// <summary>From here on all know how big the fleet is.</summary>
    public double SettledAt => StartOver + _pace.CountEvery.TotalSeconds + 5;

    public double PolicyAt => SettledAt + Quiet;

    public double CanaryAt => PolicyAt + AfterPolicy;

    /// <summary>The verdict comes some looks after the time.</summary>
    public double AwayAt => CanaryAt + Observe + (3 * _pace.DigestEvery.TotalSeconds) + (2 * _pace.Spread.TotalSeconds) + 5;

    public double BackAt => AwayAt + Away;

    public double End => BackAt + AfterAway;

    /// <summary>Its parts, by name.</summary>
    public IReadOnlyList<(string Name, double From, double To)> Parts =>
    [
        ("all start", 0, StartOver), ("quiet", SettledAt, PolicyAt), ("a policy is set", PolicyAt, CanaryAt), ("a canary", CanaryAt, AwayAt), ("etcd away", AwayAt, BackAt), ("etcd back", BackAt, End),
    ];
}
