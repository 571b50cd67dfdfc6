namespace KeepAlive.Fleet;

/// <summary>A policy of the fleet, as somebody set it.</summary>
/// <param name="Number">1, 2, 3 and so on; never given twice.</param>
/// <param name="By">Who: USER@HOST of where it was set.</param>
/// <param name="At">When, UTC.</param>
/// <param name="Comment">Why; empty where nothing was said.</param>
/// <param name="Text">The policy itself, comments included, as <c>keepalive.json</c> spells it.</param>
internal sealed record FleetPolicy(long Number, string By, DateTimeOffset At, string Comment, string Text);

/// <summary>A policy on its way: some machines have it, the others wait.</summary>
/// <param name="Policy">What is tried.</param>
/// <param name="Percent">Of the machines, above 0 and below 100.</param>
/// <param name="Threshold">A machine has it whose <see cref="Canary.HashOf"/> is not above this: so that it is at least one.</param>
/// <param name="Canaries">How many these were.</param>
/// <param name="Machines">Of how many.</param>
/// <param name="Observe">How long they are watched once they have it.</param>
internal sealed record Rollout(FleetPolicy Policy, double Percent, ulong Threshold, int Canaries, int Machines, TimeSpan Observe)
{
    /// <summary>Whether a machine is one of them.</summary>
    public bool IsFor(string machine) => Canary.HashOf(Policy.Number, machine) <= Threshold;
}

/// <summary>What became of a policy.</summary>
internal enum PolicyOutcome
{
    /// <summary>Set for all at once.</summary>
    Set,

    /// <summary>Some machines have it, and are watched.</summary>
    Canary,

    /// <summary>After these, all got it.</summary>
    Through,

    /// <summary>Taken from them again, by itself or by somebody.</summary>
    RolledBack,

    /// <summary>Something else stands there.</summary>
    Unreadable,
}

/// <summary>A line of the history.</summary>
/// <param name="Policy">Which.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Why">How that was decided; empty where nobody had to.</param>
internal sealed record PolicyRecord(FleetPolicy Policy, PolicyOutcome Outcome, string Why);

/// <summary>What stands about policies in etcd.</summary>
/// <param name="Current">In force; null while none was set.</param>
/// <param name="Rollout">On its way; null when none is.</param>
/// <param name="Revision">Of the store when it was read.</param>
internal sealed record PolicyState(FleetPolicy? Current, Rollout? Rollout, long Revision);
