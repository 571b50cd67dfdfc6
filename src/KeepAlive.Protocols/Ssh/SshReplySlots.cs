using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <summary>What a request was for whose reply is owed.</summary>
internal enum SshAsked
{
    KeepAlive,
    Subsystem,
}

/// <summary>A request whose reply is owed.</summary>
/// <param name="Asked">What it was for.</param>
/// <param name="At">When it was sent.</param>
/// <param name="Sequence">Its packet's number, which UNIMPLEMENTED would name.</param>
internal readonly record struct SshReplySlot(SshAsked Asked, Instant At, uint? Sequence);

/// <summary>
/// Requests whose replies are owed, in their order: replies bear no name, and only the order tells whose they are (RFC 4254 sections 4 and 5.4).
/// </summary>
internal sealed class SshReplySlots
{
    /// <summary>A peer that talks but never replies would have slots made for it for ever.</summary>
    public const int Max = 64;

    private readonly List<SshReplySlot> _slots = [];

    public bool IsFull => _slots.Count >= Max;

    public void Add(SshReplySlot slot) => _slots.Add(slot);

    /// <summary>Whose reply this is; null when none is owed.</summary>
    public SshReplySlot? Take()
    {
        if (_slots.Count == 0) return null;
        SshReplySlot first = _slots[0];
        _slots.RemoveAt(0);
        return first;
    }

    /// <summary>Some programs answer what they do not know with UNIMPLEMENTED in place of a failure: it names the packet.</summary>
    public SshReplySlot? TakeUnimplemented(uint sequence)
    {
        int at = _slots.FindIndex(slot => slot.Sequence == sequence);
        if (at < 0) return null;
        SshReplySlot slot = _slots[at];
        _slots.RemoveAt(at);
        return slot;
    }
}
