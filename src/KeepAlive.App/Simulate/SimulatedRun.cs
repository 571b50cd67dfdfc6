using KeepAlive.App.Explain;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.App.Simulate;

/// <summary>What is simulated, policy aside.</summary>
/// <param name="World">With any policy.</param>
/// <param name="Limit">The middlebox as the user named it; null for none.</param>
internal sealed record Scenario(SimulatedWorld World, PathLimit? Limit);

/// <summary>One policy in it.</summary>
/// <param name="Result">What became of its flows.</param>
/// <param name="OtherPeak">The peak of the beginning with the other jitter.</param>
internal sealed record SimulatedRun(SimulationResult Result, int OtherPeak)
{
    // A peak is highest at the beginning, when all have just been opened: later flows drift apart.
    private const int PeakRounds = 10;

    public static SimulatedRun Of(SimulatedWorld world, int threads, Action<long>? progress)
    {
        TimeSpan round = world.Policy.Idle > world.Policy.Interval ? world.Policy.Idle : world.Policy.Interval;
        TimeSpan beginning = world.OpenWithin + (round * PeakRounds);
        SimulationResult other = Simulator.Run(world with { HasJitter = !world.HasJitter, Time = beginning < world.Time ? beginning : world.Time }, threads);
        return new SimulatedRun(Simulator.Run(world, threads, progress), other.PeakProbesPerSecond);
    }

    public KeepAlivePolicy Policy => Result.World.Policy;

    public int PeakWithJitter => Result.World.HasJitter ? Result.PeakProbesPerSecond : OtherPeak;

    public int PeakWithoutJitter => Result.World.HasJitter ? OtherPeak : Result.PeakProbesPerSecond;

    public double SurvivedPart => (double)Result.Survived / Result.World.Flows;

    public long WronglyEnded => Result.Expired + Result.ExpiredUnnoticed + Result.FalseDeaths + Result.GivenUpAsleep;

    public double ProbesPerFlowDay => Result.Probes / FlowDays;

    /// <summary>Probes and answers over IPv4.</summary>
    public double BytesPerFlowDay => (Result.Probes + Result.Answers) * (double)Cost.SegmentBytesIPv4 / FlowDays;

    private double FlowDays => Result.World.Flows * Result.World.Time.TotalDays;
}
