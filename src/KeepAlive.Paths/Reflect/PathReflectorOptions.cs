using System.Net;

namespace KeepAlive.Paths.Reflect;

/// <summary>What a <see cref="PathReflector"/> is told.</summary>
internal sealed record PathReflectorOptions
{
    /// <summary>Where clients are accepted; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>The secret that clients must show; empty lets everybody measure.</summary>
    public ReadOnlyMemory<byte> Token { get; init; }

    /// <summary>Clients at a time. Default 16.</summary>
    public int MaxSessions { get; init; } = 16;

    /// <summary>Lanes of one client, 1 to 65536. Default 256: a measurement takes fewer than 200.</summary>
    public int MaxLanes { get; init; } = 256;

    /// <summary>Connections of all proven clients at a time. Default 1000.</summary>
    public int MaxFlows { get; init; } = 1000;

    /// <summary>Bytes that a client may send, all its connections together. Default 1 MiB: four hours of two bytes a second on a few lanes are 100 KB.</summary>
    public long MaxBytes { get; init; } = 1 << 20;

    /// <summary>How long a client may stay; default 5 h: twice the longest silence that it may ask for, and a bit.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromHours(5);

    /// <summary>Connections that have proven nothing yet; when one more comes, the oldest of the address with the most of them goes. Default 256.</summary>
    public int MaxUnproven { get; init; } = 256;

    /// <summary>How long a client may take to prove itself. Default 5 s.</summary>
    public TimeSpan ProofTime { get; init; } = TimeSpan.FromSeconds(5);
}
