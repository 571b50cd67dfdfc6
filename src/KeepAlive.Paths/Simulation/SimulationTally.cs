using KeepAlive.Core;

namespace KeepAlive.Paths.Simulation;

/// <summary>What one thread counts. Sums, least and greatest only, so that it does not matter which thread counted what.</summary>
internal sealed class SimulationTally(SimulatedWorld world)
{
    private readonly int[] _probesPerSecond = new int[world.Seconds];

    public long Opened, Survived, Expired, ExpiredUnnoticed, FalseDeaths, FalseDeathsInOutages, GivenUpAsleep, NotYetFound, Probes, Answers, Events;

    public int FewestLost = int.MaxValue;

    public TimeSpan LongestUnfound;

    public DetectionTimes Detection { get; } = new();

    public int PeakProbesPerSecond => _probesPerSecond.Max();

    public void CountProbe(Instant now)
    {
        Probes++;
        _probesPerSecond[(int)((now - SimulatedWorld.Start).Ticks / TimeSpan.TicksPerSecond)]++;
    }

    public void Found(TimeSpan after) => Detection.Add(after);

    public void NotFound(TimeSpan since)
    {
        NotYetFound++;
        if (since > LongestUnfound) LongestUnfound = since;
    }

    public void Add(SimulationTally other)
    {
        Opened += other.Opened;
        Survived += other.Survived;
        Expired += other.Expired;
        ExpiredUnnoticed += other.ExpiredUnnoticed;
        FalseDeaths += other.FalseDeaths;
        FalseDeathsInOutages += other.FalseDeathsInOutages;
        GivenUpAsleep += other.GivenUpAsleep;
        NotYetFound += other.NotYetFound;
        Probes += other.Probes;
        Answers += other.Answers;
        Events += other.Events;
        FewestLost = Math.Min(FewestLost, other.FewestLost);
        if (other.LongestUnfound > LongestUnfound) LongestUnfound = other.LongestUnfound;
        Detection.Add(other.Detection);
        for (int i = 0; i < _probesPerSecond.Length; i++) _probesPerSecond[i] += other._probesPerSecond[i];
    }
}
