namespace KeepAlive.Core;

/// <summary>One of the two connections a relay joins. Direction is relative to us.</summary>
internal enum Leg
{
    /// <summary>The accepted connection: towards the client.</summary>
    Downstream,

    /// <summary>The dialled connection: towards the server.</summary>
    Upstream,
}

/// <summary>Legs come in pairs.</summary>
internal static class LegPair
{
    /// <summary>The leg that a relay joins with this one.</summary>
    public static Leg Other(this Leg leg) => leg == Leg.Downstream ? Leg.Upstream : Leg.Downstream;

    /// <summary>Its name in texts: <c>downstream</c>, <c>upstream</c>.</summary>
    public static string Name(this Leg leg) => leg == Leg.Downstream ? "downstream" : "upstream";
}

/// <summary>What happened to a flow.</summary>
internal enum FlowEventKind
{
    /// <summary>A client was accepted.</summary>
    Opened,

    /// <summary>The client was turned away; the text says why.</summary>
    Refused,

    /// <summary>The upstream leg is connected; <see cref="FlowEvent.Took"/> is how long that took.</summary>
    Connected,

    /// <summary>Something the platform could not do, or a fact about the peers worth knowing.</summary>
    Notice,

    /// <summary>The protocol's knowledge of the server: how it treats probes.</summary>
    ServerKind,

    /// <summary>From here on the flow is a plain relay with kernel keepalive only; the text says why.</summary>
    PlainRelay,

    /// <summary>A probe of ours went out on <see cref="FlowEvent.Leg"/>.</summary>
    ProbeSent,

    /// <summary>Its answer was here, and swallowed; <see cref="FlowEvent.Took"/> is the round trip.</summary>
    ProbeAnswered,

    /// <summary>A probe was due but must not be sent now; the text says why.</summary>
    ProbeWithheld,

    /// <summary>A data connection of the flow is open on both legs.</summary>
    DataOpened,

    /// <summary>A data connection of the flow has ended.</summary>
    DataClosed,

    /// <summary>The kernel keepalive of a path was changed, or has proven to hold; the text says which path, what and why.</summary>
    Tuned,

    /// <summary>A leg died: not closed, but reset, timed out or silent; <see cref="FlowEvent.Took"/> is its silence.</summary>
    Died,

    /// <summary>Both legs are closed.</summary>
    Closed,
}

/// <summary>Why a leg died.</summary>
internal enum DeathReason
{
    /// <summary>The protocol's own probes stayed unanswered.</summary>
    Unanswered,

    /// <summary>The kernel gave up: its probes, or data, stayed unanswered (ETIMEDOUT).</summary>
    TimedOut,

    /// <summary>What was sent to it was not acknowledged for the detection time.</summary>
    Unacknowledged,

    /// <summary>The peer, or a middlebox in its name, sent a reset.</summary>
    Reset,

    /// <summary>There is no way to it (EHOSTUNREACH, ENETUNREACH).</summary>
    Unreachable,

    /// <summary>We ended it.</summary>
    Stopped,

    /// <summary>Anything else; the text says what.</summary>
    Failed,
}

/// <summary>One line of a flow's story: the same for the log, JSON, metrics and the page.</summary>
/// <param name="Flow">The flow's number, unique within the process.</param>
/// <param name="At">When it happened.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Text">What a person needs to know beside the kind; never empty, no secrets, one line.</param>
internal sealed record FlowEvent(long Flow, Instant At, FlowEventKind Kind, string Text)
{
    /// <summary>The leg it happened to; null when it concerns the whole flow.</summary>
    public Leg? Leg { get; init; }

    /// <summary>Of <see cref="FlowEventKind.Died"/>, why.</summary>
    public DeathReason? Reason { get; init; }

    /// <summary>A duration that belongs to the fact: connect time, round trip, silence, life time.</summary>
    public TimeSpan? Took { get; init; }
}
