using System.Text.Json.Serialization;

namespace KeepAlive.Fleet;

/// <summary>What a machine tells the others of itself: little, however much it does.</summary>
internal sealed record MachineDigest
{
    /// <summary>Of <see cref="Worst"/>: a digest stays below some 8 KB.</summary>
    public const int WorstMax = 20;

    /// <summary>Its name in the fleet.</summary>
    public required string Machine { get; init; }

    /// <summary>Of the program.</summary>
    public required string Version { get; init; }

    /// <summary>When this daemon began, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The number of the policy in force; 0: none.</summary>
    public long Policy { get; init; }

    /// <summary>One that it would not take; null when there is none.</summary>
    public PolicyRefusal? Refused { get; init; }

    /// <summary>Gateways that run.</summary>
    public int Gateways { get; init; }

    /// <summary>Flows of its gateways by their state: opening, alive, probing, and dead, those of the last minute.</summary>
    public IReadOnlyDictionary<string, int> Flows { get; init; } = new Dictionary<string, int>();

    /// <summary>Those of them that are open.</summary>
    [JsonIgnore]
    public int Open => Flows.Where(f => f.Key != "dead").Sum(f => f.Value);

    /// <summary>Flows that died since the daemon began.</summary>
    public long Deaths { get; init; }

    /// <summary>What a rollout is judged by; null while there is none.</summary>
    public Trial? Trial { get; init; }

    /// <summary>Flows that need a look, the worst first; at most <see cref="WorstMax"/>.</summary>
    public IReadOnlyList<WorstFlow> Worst { get; init; } = [];

    /// <summary>Where its page is, if other machines can reach it; null when they cannot.</summary>
    public string? Page { get; init; }
}

/// <summary>A policy that a machine would not take; what was in force goes on.</summary>
/// <param name="Policy">Its number.</param>
/// <param name="Why">One line.</param>
internal sealed record PolicyRefusal(long Policy, string Why);

/// <summary>What happened on a machine since it has what a rollout gives it: the new policy for a canary, nothing for the others.</summary>
/// <param name="Policy">The number of what is tried.</param>
/// <param name="Seconds">For how long.</param>
/// <param name="FlowSeconds">Open flows, summed up over that time.</param>
/// <param name="Deaths">Flows that died in it.</param>
internal sealed record Trial(long Policy, double Seconds, double FlowSeconds, long Deaths);

/// <summary>A flow that needs a look.</summary>
/// <param name="Gateway">Its gateway's name.</param>
/// <param name="Client">ADDRESS:PORT.</param>
/// <param name="Server">ADDRESS:PORT or HOST:PORT.</param>
/// <param name="State">probing, or dead.</param>
/// <param name="SilentSeconds">The longer of the two legs' silences.</param>
/// <param name="Unanswered">Probes out.</param>
internal sealed record WorstFlow(string Gateway, string Client, string Server, string State, double SilentSeconds, int Unanswered);

/// <summary>A machine as the fleet sees it.</summary>
/// <param name="Digest">What it tells; null where that cannot be read.</param>
/// <param name="Name">Its name.</param>
/// <param name="Fault">Why it cannot be read; null when it can.</param>
internal sealed record FleetMachine(string Name, MachineDigest? Digest, string? Fault);
