namespace KeepAlive.Gateway.Tuning;

/// <summary>What is known of a path before the first flow on it.</summary>
/// <param name="Text">What is known, since when, and what follows from it: one line, told once.</param>
internal sealed record PathKnowledge(string Text)
{
    /// <summary>The policy that its flows begin with; null for the gateway's own.</summary>
    public KeepAlivePolicy? Start { get; init; }

    /// <summary>The policy that was measured to be enough: tuning never goes below its idle. Null where that is not known.</summary>
    public KeepAlivePolicy? Enough { get; init; }
}
