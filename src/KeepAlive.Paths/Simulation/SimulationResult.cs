namespace KeepAlive.Paths.Simulation;

/// <summary>What became of the flows of a <see cref="SimulatedWorld"/>. The same for the same world, whatever the threads.</summary>
internal sealed record SimulationResult
{
    internal SimulationResult(SimulatedWorld world, SimulationTally tally)
    {
        World = world;
        (Opened, Survived, Expired, ExpiredUnnoticed) = (tally.Opened, tally.Survived, tally.Expired, tally.ExpiredUnnoticed);
        (FalseDeaths, FalseDeathsInOutages, GivenUpAsleep) = (tally.FalseDeaths, tally.FalseDeathsInOutages, tally.GivenUpAsleep);
        (Detection, NotYetFound, LongestUnfound) = (tally.Detection, tally.NotYetFound, tally.LongestUnfound);
        (Probes, Answers, PeakProbesPerSecond, Events) = (tally.Probes, tally.Answers, tally.PeakProbesPerSecond, tally.Events);
        FewestLost = FalseDeaths > 0 ? tally.FewestLost : null;
    }

    /// <summary>Whose.</summary>
    public SimulatedWorld World { get; }

    /// <summary>Flows opened, those that were opened again included.</summary>
    public long Opened { get; }

    /// <summary>Of the world's flows, those that were never ended wrongly, nor opened again because of it.</summary>
    public long Survived { get; }

    /// <summary>Bindings that expired under a live flow, and that was noticed.</summary>
    public long Expired { get; }

    /// <summary>Bindings that had expired when time was over, unnoticed.</summary>
    public long ExpiredUnnoticed { get; }

    /// <summary>Live peers declared dead, all losses in a row.</summary>
    public long FalseDeaths { get; }

    /// <summary>Of them, those for whom an outage had its part.</summary>
    public long FalseDeathsInOutages { get; }

    /// <summary>The fewest probes or answers lost in a row before a false death; null where there was none.</summary>
    public int? FewestLost { get; }

    /// <summary>Peers declared dead that were asleep and came back with their flow.</summary>
    public long GivenUpAsleep { get; }

    /// <summary>From a peer's death to the verdict.</summary>
    public DetectionTimes Detection { get; }

    /// <summary>Dead peers not found when time was over.</summary>
    public long NotYetFound { get; }

    /// <summary>How long the first of them had been dead.</summary>
    public TimeSpan LongestUnfound { get; }

    /// <summary>Probes sent.</summary>
    public long Probes { get; }

    /// <summary>Answers sent by the peers, lost ones included.</summary>
    public long Answers { get; }

    /// <summary>Most probes sent in one second, all flows together.</summary>
    public int PeakProbesPerSecond { get; }

    /// <summary>Deadlines that came up: the work of it.</summary>
    public long Events { get; }
}
