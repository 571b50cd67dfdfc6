using KeepAlive.Core;

namespace KeepAlive.Protocols.Framing;

/// <summary>The numbers of our probes towards one leg, where an answer repeats the number it is for.</summary>
internal struct ProbeNumbers
{
    private uint _answered;
    private Instant _sentAt;

    /// <summary>The last one's; 0 before the first.</summary>
    public uint Sent { get; private set; }

    /// <summary>Whether the last one is unanswered.</summary>
    public readonly bool IsOpen => _answered < Sent;

    /// <summary>Since the last one.</summary>
    public readonly TimeSpan Age(Instant now) => now - _sentAt;

    /// <summary>That of the next one, sent now.</summary>
    public uint Next(Instant now)
    {
        _sentAt = now;
        return ++Sent;
    }

    /// <summary>Whether an answer is for one of ours.</summary>
    /// <param name="number">What it repeats.</param>
    /// <param name="now">The time.</param>
    /// <param name="took">How long it was in coming, when it is the first for the last one.</param>
    public bool IsAnswered(ulong number, Instant now, out TimeSpan? took)
    {
        took = null;
        if (number == 0 || number > Sent) return false;
        if (number == Sent && IsOpen) took = now - _sentAt;
        _answered = Math.Max(_answered, (uint)number);
        return true;
    }
}
