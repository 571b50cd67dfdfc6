using KeepAlive.Core;

namespace KeepAlive.Paths.Simulation;

/// <summary>
/// Plays a <see cref="SimulatedWorld"/> in virtual time. Flows do not touch one another, so they are played a shard at a time,
/// on a real <see cref="Schedule{T}"/> each, by the same few thousand objects a thread: memory does not depend on the flows, and
/// each shard fits the processor's cache.
/// </summary>
internal static class Simulator
{
    private const int ShardFlows = 4096;

    /// <summary>Plays it to the end.</summary>
    /// <param name="world">What to play.</param>
    /// <param name="threads">How many threads share the work, at least 1; the result does not depend on it.</param>
    /// <param name="progress">Told how many flows are done, from any thread; null for nobody.</param>
    /// <exception cref="ArgumentException">A number of the world is out of range.</exception>
    public static SimulationResult Run(SimulatedWorld world, int threads, Action<long>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        world.Check();
        int shards = (int)(((long)world.Flows + ShardFlows - 1) / ShardFlows);
        int next = -1;
        long done = 0;
        var tallies = new SimulationTally[Math.Min(threads, shards)];
        Parallel.For(0, tallies.Length, new ParallelOptions { MaxDegreeOfParallelism = tallies.Length }, thread =>
        {
            SimulationTally tally = tallies[thread] = new SimulationTally(world);
            var pool = new SimulatedFlow[Math.Min(ShardFlows, world.Flows)];
            for (int i = 0; i < pool.Length; i++) pool[i] = new SimulatedFlow(world, tally);
            while (Interlocked.Increment(ref next) is var shard && shard < shards)
            {
                long first = (long)shard * ShardFlows;
                int count = (int)Math.Min(ShardFlows, world.Flows - first);
                Play(pool.AsSpan(0, count), first, world.End, tally);
                progress?.Invoke(Interlocked.Add(ref done, count));
            }
        });

        foreach (SimulationTally tally in tallies.AsSpan(1)) tallies[0].Add(tally);
        return new SimulationResult(world, tallies[0]);
    }

    private static void Play(ReadOnlySpan<SimulatedFlow> flows, long first, Instant end, SimulationTally tally)
    {
        var schedule = new Schedule<SimulatedFlow>(SimulatedWorld.Start);
        foreach (SimulatedFlow flow in flows) flow.Entry = schedule.Add(flow, flow.Start(first++));
        while (schedule.NextWake is var now && now <= end)
        {
            while (schedule.TryTake(now, out SimulatedFlow flow))
            {
                tally.Events++;
                schedule.Arm(flow.Entry, flow.OnAlarm(now));
            }
        }

        foreach (SimulatedFlow flow in flows) flow.Finish(end);
    }
}
