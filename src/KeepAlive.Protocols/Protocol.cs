using KeepAlive.Core;

namespace KeepAlive.Protocols;

/// <summary>What became of a probe that was due.</summary>
internal enum ProbeOutcome
{
    /// <summary>It is on its way and must be answered: silence counts towards the peer's death.</summary>
    Sent,

    /// <summary>It is on its way and keeps the path warm; an answer may be long in coming, or never come.</summary>
    Refreshed,

    /// <summary>It must not be sent in this state.</summary>
    Withheld,
}

/// <summary>The outcome and its words: what was sent, or why nothing was.</summary>
internal readonly record struct ProbeAttempt(ProbeOutcome Outcome, string Text);

/// <summary>
/// One flow's protocol: it watches both directions and says what goes on, what is held, what is ours.
/// Pure: bytes and the time in, <see cref="Verdicts"/> out. Not thread-safe: the relay calls it under the flow's lock.
/// </summary>
/// <remarks>
/// The law of every protocol: both ends get exactly the bytes a plain relay would give them, in order; only
/// answers to our own probes are swallowed. Wire input never throws. In any doubt it becomes plain, for good.
/// </remarks>
internal abstract class Protocol
{
    /// <summary>From here on nothing is looked at: relay the bytes as they come. Never false again once true.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>
    /// Bytes from this leg are being held back until something arrives on the other: read no more from it
    /// for now. What bounds the wait is <see cref="Deadline"/>.
    /// </summary>
    public virtual bool IsHolding(Leg from) => false;

    /// <summary>When <see cref="OnDeadline"/> wants to be called; <see cref="Instant.Never"/> when not at all.</summary>
    public virtual Instant Deadline => Instant.Never;

    /// <summary>Whether it has probes towards a leg at all: towards the server, unless said otherwise.</summary>
    public virtual bool CanProbe(Leg towards) => towards == Leg.Upstream;

    /// <summary>Bytes arrived from a leg.</summary>
    public abstract void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts);

    /// <summary>A leg sent its FIN: whatever is held of it goes on now, as it is.</summary>
    public abstract void OnEnded(Leg from, Verdicts verdicts);

    /// <summary>A probe towards a leg is due: send it, or say why not.</summary>
    public abstract ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts);

    /// <summary>The time asked for with <see cref="Deadline"/> has come.</summary>
    public virtual void OnDeadline(Instant now, Verdicts verdicts)
    {
    }

    /// <summary>Becomes a plain relay for good, and says why once.</summary>
    protected void BecomePlain(string why, Verdicts verdicts)
    {
        if (IsPlain) return;
        BecomePlain();
        verdicts.Note(FlowEventKind.PlainRelay, why);
    }

    /// <summary>Becomes a plain relay for a reason that was said already.</summary>
    protected void BecomePlain() => IsPlain = true;
}
