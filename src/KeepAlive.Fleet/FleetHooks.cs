namespace KeepAlive.Fleet;

/// <summary>What a machine's daemon does for its membership.</summary>
internal sealed record FleetHooks
{
    /// <summary>Makes a policy the one in force, or none (null). Null is the answer when it is, else why it was refused; what was in force goes on then.</summary>
    public required Func<FleetPolicy?, Task<string?>> Apply { get; init; }

    /// <summary>What it has to tell; what is of the fleet's own (name, policy, trial) is filled in.</summary>
    public required Func<MachineDigest> Digest { get; init; }

    /// <summary>An event: kind and text.</summary>
    public required Action<string, string> Tell { get; init; }

    /// <summary>Keeps what is in force over a restart, as a few KB; null: nothing is.</summary>
    public required Action<byte[]?> Keep { get; init; }

    /// <summary>What was kept; null when nothing was.</summary>
    public required Func<byte[]?> Kept { get; init; }

    /// <summary>Paths that others have measured: key and what stands there.</summary>
    public Action<string, byte[]> Learn { get; init; } = (_, _) => { };
}
