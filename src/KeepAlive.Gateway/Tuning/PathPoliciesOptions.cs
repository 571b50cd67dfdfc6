using System.Net;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Tuning;

/// <summary>Where the kernel keepalive of each path comes from, and whether it is tuned.</summary>
internal sealed record PathPoliciesOptions
{
    /// <summary>The policy of a path of which nothing is known.</summary>
    public required KeepAlivePolicy Default { get; init; }

    /// <summary>What is known of the path to an address and port; null for nothing. Asked once a path, under a lock: it must be quick and not throw.</summary>
    public Func<IPEndPoint, PathKnowledge?> Know { get; init; } = _ => null;

    /// <summary>Tunes by what happens to flows, if not null. Linux only: elsewhere nothing tells how long a peer was silent.</summary>
    public TuneOptions? Tune { get; init; }

    /// <summary>Paths remembered at a time; that used longest ago is forgotten. At least 1.</summary>
    public int PathsMax { get; init; } = 10_000;
}

/// <summary>How paths are tuned.</summary>
internal sealed record TuneOptions
{
    /// <summary>Idle is not lowered below this, and a flow that breaks after a shorter silence did not break while idle.</summary>
    public TimeSpan IdleFloor { get; init; } = Tuner.IdleFloorDefault;

    /// <summary>Told of a changed policy that holds, after 10 idle times lived through, and 100, 1000 and so on. It must be quick and not throw.</summary>
    public Action<TunedPath> Keep { get; init; } = _ => { };
}

/// <summary>A policy that tuning has found, and that holds.</summary>
/// <param name="Remote">The far end of the path.</param>
/// <param name="Policy">The policy.</param>
/// <param name="IdleTimes">Idle times that flows have lived through under it, one after the other and no flow broken.</param>
/// <param name="Flows">How many flows these were.</param>
internal sealed record TunedPath(IPAddress Remote, KeepAlivePolicy Policy, long IdleTimes, int Flows);
