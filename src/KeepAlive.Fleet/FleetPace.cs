namespace KeepAlive.Fleet;

/// <summary>
/// How often a machine may speak, so that all of them together do not ask more of etcd than it can give: the bigger the fleet, the rarer each.
/// </summary>
/// <remarks>
/// etcd's own figures: tens of thousands of requests a second on a good machine, 50,000 writes a second with many clients
/// (etcd.io/docs/v3.4/op-guide/performance); we ask for a small part of it, as the etcd is the user's and has other users.
/// </remarks>
/// <param name="Machines">In the fleet, this one too.</param>
internal readonly record struct FleetPace(int Machines)
{
    /// <summary>Digests, of all machines together, a second.</summary>
    public const double WritesPerSecond = 200;

    /// <summary>Renewals of leases, of all machines together, a second: the leader alone answers them, from memory.</summary>
    public const double RenewalsPerSecond = 1000;

    /// <summary>What all machines do at once (a policy came, etcd came back), a second.</summary>
    public const double BurstPerSecond = 2000;

    private static readonly TimeSpan LifeMin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DigestMin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CountMin = TimeSpan.FromSeconds(30);

    /// <summary>How long a machine is taken to be there without a word of it.</summary>
    public TimeSpan Life => Max(LifeMin, 3 * Machines / RenewalsPerSecond);

    /// <summary>Between two renewals: two may be lost.</summary>
    public TimeSpan RenewEvery => Life / 3;

    /// <summary>Between two looks at what is to be told: only what has changed is written.</summary>
    public TimeSpan DigestEvery => Max(DigestMin, Machines / WritesPerSecond);

    /// <summary>Between two looks at how many machines there are, and between two counts of them all.</summary>
    public TimeSpan CountEvery => Max(CountMin, Machines / WritesPerSecond);

    /// <summary>The most that a machine waits before it does what all of them do now.</summary>
    public TimeSpan Spread => TimeSpan.FromSeconds(Machines / BurstPerSecond);

    private static TimeSpan Max(TimeSpan least, double seconds) => seconds > least.TotalSeconds ? TimeSpan.FromSeconds(seconds) : least;
}
