using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.Paths.Simulation;

/// <summary>Something that comes again and again and lasts: outages, sleep.</summary>
/// <param name="Every">Mean time from the end of one to the start of the next; without memory.</param>
/// <param name="For">How long each lasts.</param>
internal sealed record Recurrence(TimeSpan Every, TimeSpan For);

/// <summary>Many flows with one policy, each with a path and a peer of its own, and what happens to them.</summary>
/// <param name="Policy">Of every flow.</param>
internal sealed record SimulatedWorld(KeepAlivePolicy Policy)
{
    /// <summary>Longest time: what is counted a second is kept for each of them.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromDays(30);

    /// <summary>What the probes ask.</summary>
    public ProbeQuestion Question { get; init; } = ProbeQuestion.PeerAlive;

    /// <summary>Flows, at least 1.</summary>
    public int Flows { get; init; } = 10_000;

    /// <summary>Simulated time, up to <see cref="TimeMax"/>.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The same seed, the same world, to the last probe.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether each flow takes a part of a tenth off its idle time, as the gateway's do.</summary>
    public bool HasJitter { get; init; } = true;

    /// <summary>All flows are opened within this time.</summary>
    public TimeSpan OpenWithin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From a probe to its answer, shorter than the interval; the middlebox stands halfway.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Silence after which the middlebox forgets a flow; null for none on the path.</summary>
    public TimeSpan? BindingTimeout { get; init; }

    /// <summary>What refreshes it.</summary>
    public BindingRefresh Refresh { get; init; } = BindingRefresh.Segments;

    /// <summary>What the middlebox does then. What the source does not say, or what varies, is taken for silence.</summary>
    public ExpiryBehaviour Expiry { get; init; } = ExpiryBehaviour.Silent;

    /// <summary>Part of the segments that is lost, each way, each on its own: 0 to 1, 1 excluded.</summary>
    public double Loss { get; init; }

    /// <summary>When nothing passes on a path, between us and the middlebox; null for never.</summary>
    public Recurrence? Outages { get; init; }

    /// <summary>When a peer says nothing and yet comes back with its flow; null for never.</summary>
    public Recurrence? Sleep { get; init; }

    /// <summary>Deaths of a peer a day, without memory; 0 for none.</summary>
    public double DeathsPerDay { get; init; }

    /// <summary>From a peer's death to its return without memory of its flow: it answers the next probe with a reset.</summary>
    public TimeSpan BackAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>When all peers die at once, for good; null for never.</summary>
    public TimeSpan? CutAt { get; init; }

    /// <summary>Mean time between two messages of a peer, without memory; null for flows that are idle all the time.</summary>
    public TimeSpan? TrafficEvery { get; init; }

    internal static Instant Start => new(TimeSpan.TicksPerDay);

    internal Instant End => Start + Time;

    internal int Seconds => (int)Math.Ceiling(Time.TotalSeconds) + 1;

    /// <exception cref="ArgumentException">A number is out of range; the message names it.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Policy);
        if (Flows < 1) throw new ArgumentException($"flows {Flows} is below 1");
        if (Time <= TimeSpan.Zero || Time > TimeMax) throw new ArgumentException($"time {Time} is not up to {TimeMax}");
        if (Loss is not (>= 0 and < 1)) throw new ArgumentException($"loss {Loss} is not 0 to 1, 1 excluded");
        if (RoundTrip < TimeSpan.Zero || RoundTrip >= Policy.Interval) throw new ArgumentException($"a round trip of {RoundTrip} is not shorter than the interval, {Policy.Interval}");
        if (!(DeathsPerDay >= 0)) throw new ArgumentException($"{DeathsPerDay} deaths a day is below 0");
        foreach (TimeSpan? span in (TimeSpan?[])[BindingTimeout, TrafficEvery, Outages?.Every, Outages?.For, Sleep?.Every, Sleep?.For])
            if (span <= TimeSpan.Zero) throw new ArgumentException($"a duration of {span} is not above zero");
    }
}
