namespace KeepAlive;

/// <summary>One of the things kernel keepalive is made of.</summary>
public enum KernelKeepAliveOption
{
    /// <summary>On or off: SO_KEEPALIVE.</summary>
    Switch,

    /// <summary>Silence before the first probe.</summary>
    Idle,

    /// <summary>Unanswered probes in a row that mean death.</summary>
    Count,

    /// <summary>Time from one unanswered probe to the next.</summary>
    Interval,

    /// <summary>How long sent data may stay unacknowledged.</summary>
    UserTimeout,
}

/// <summary>Something the platform could not do exactly as asked: what was asked, what is in force instead, and why.</summary>
/// <param name="Option">What it is about.</param>
/// <param name="Asked">What was asked for, as people write it: <c>500ms</c>, <c>200</c>, <c>on</c>.</param>
/// <param name="Effective">What is in force now, in the same notation; words where there is no number.</param>
/// <param name="Why">The reason, with the option, limit or failed call by name. One line.</param>
public sealed record Shortfall(KernelKeepAliveOption Option, string Asked, string Effective, string Why)
{
    /// <summary><c>idle: asked 500ms, effective 1s: TCP_KEEPIDLE takes at least 1s</c>.</summary>
    public override string ToString() => $"{Label(Option)}: asked {Asked}, effective {Effective}: {Why}";

    private static string Label(KernelKeepAliveOption option) => option switch
    {
        KernelKeepAliveOption.Switch => "keepalive",
        KernelKeepAliveOption.Idle => "idle",
        KernelKeepAliveOption.Count => "count",
        KernelKeepAliveOption.Interval => "interval",
        _ => "user timeout",
    };
}
