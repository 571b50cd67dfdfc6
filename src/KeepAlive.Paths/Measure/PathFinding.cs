namespace KeepAlive.Paths.Measure;

/// <summary>What a path does to a flow that was silent for too long.</summary>
public enum Expiry
{
    /// <summary>Nothing was lost within the time that was tried.</summary>
    None,

    /// <summary>Drops what comes for it, and tells nobody.</summary>
    Silent,

    /// <summary>Answers what comes for it with a reset.</summary>
    ResetOnUse,

    /// <summary>Resets it when the time is over.</summary>
    Reset,

    /// <summary>Closes it, by FIN, when the time is over.</summary>
    Close,
}

/// <summary>An answer that may be missing.</summary>
public enum Answer
{
    /// <summary>Not known.</summary>
    Unknown,

    /// <summary>Yes.</summary>
    Yes,

    /// <summary>No.</summary>
    No,
}

/// <summary>What a measurement found out about a path.</summary>
internal sealed record PathFinding
{
    /// <summary>The longest silence that a flow is known to survive; zero for none.</summary>
    public required TimeSpan Low { get; init; }

    /// <summary>The shortest that none survived; null where all that was tried was survived.</summary>
    public required TimeSpan? High { get; init; }

    /// <summary>What happens then.</summary>
    public required Expiry Expiry { get; init; }

    /// <summary>Whether a client that speaks first after that is let through again: measurements by clients alone are fooled there.</summary>
    public Answer ClientRevives { get; init; }

    /// <summary>Whether TCP keepalive of the client's side refreshes a binding.</summary>
    public Answer ClientKeepAlive { get; init; }

    /// <summary>Whether TCP keepalive of the server's side does.</summary>
    public Answer ServerKeepAlive { get; init; }

    /// <summary>Whether application bytes towards the server do.</summary>
    public Answer ClientBytes { get; init; }

    /// <summary>Whether application bytes towards the client do.</summary>
    public Answer ServerBytes { get; init; }

    /// <summary>Whether keepalive probes of the client's arrive at the server; if not, something on the way answers them itself.</summary>
    public Answer KeepAliveCrosses { get; init; }

    /// <summary>Connections that were made.</summary>
    public int Connections { get; init; }

    /// <summary>Connections that could not be made.</summary>
    public int Failed { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>The longest round trip seen.</summary>
    public TimeSpan RoundTrip { get; init; }
}
