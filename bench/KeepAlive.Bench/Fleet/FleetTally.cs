namespace KeepAlive.Bench.Fleet;

/// <summary>What a fleet asks of etcd, or costs it.</summary>
internal enum FleetCall
{
    /// <summary>A read, counts included: <c>/v3/kv/range</c>.</summary>
    Range,

    /// <summary>A transaction, which raft and the disk see: <c>/v3/kv/txn</c>.</summary>
    Txn,

    /// <summary>A new lease: <c>/v3/lease/grant</c>; raft sees it, too.</summary>
    Grant,

    /// <summary>A lease renewed: <c>/v3/lease/keepalive</c>.</summary>
    Renew,

    /// <summary>A lease given back: <c>/v3/lease/revoke</c>.</summary>
    Revoke,

    /// <summary>A watch begun: <c>/v3/watch</c>.</summary>
    Watch,

    /// <summary>A call that no etcd answered.</summary>
    Failed,

    /// <summary>Keys that etcd went over to answer; the simulation's only.</summary>
    Walked,

    /// <summary>Bytes of answers and of what watches tell, as base64 in JSON; the simulation's only.</summary>
    BytesOut,
}

/// <summary>Calls by second. Safe for use by many threads.</summary>
/// <param name="seconds">How many there are; what comes later is the last one's.</param>
internal sealed class FleetTally(int seconds)
{
    private static readonly int Kinds = Enum.GetValues<FleetCall>().Length;

    private readonly long[] _counts = new long[seconds * Kinds];

    public void Add(double at, FleetCall call, long count = 1) => Interlocked.Add(ref _counts[(Math.Clamp((int)at, 0, seconds - 1) * Kinds) + (int)call], count);

    /// <summary>A second, on average.</summary>
    public double Mean(FleetCall call, double from, double to) => Sum(call, from, to) / Math.Max(1, Math.Floor(to) - Math.Floor(from));

    /// <summary>In the worst second.</summary>
    public long Worst(FleetCall call, double from, double to)
    {
        long worst = 0;
        for (int s = (int)from; s < Math.Min((int)to, seconds); s++) worst = Math.Max(worst, _counts[(s * Kinds) + (int)call]);
        return worst;
    }

    /// <summary>All of a time.</summary>
    public long Sum(FleetCall call, double from, double to)
    {
        long sum = 0;
        for (int s = (int)from; s < Math.Min((int)to, seconds); s++) sum += _counts[(s * Kinds) + (int)call];
        return sum;
    }
}
