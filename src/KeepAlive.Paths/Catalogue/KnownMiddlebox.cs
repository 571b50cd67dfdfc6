namespace KeepAlive.Paths.Catalogue;

/// <summary>What a middlebox does when a flow was silent for too long.</summary>
public enum ExpiryBehaviour
{
    /// <summary>The source does not say.</summary>
    Unstated,

    /// <summary>Drops what comes later without a word.</summary>
    Silent,

    /// <summary>Says nothing at expiry, and answers the next segment with a reset.</summary>
    ResetOnUse,

    /// <summary>Sends a reset to both ends at expiry.</summary>
    ResetBoth,

    /// <summary>Closes the connection in an orderly way at expiry.</summary>
    Close,

    /// <summary>Differs from case to case.</summary>
    Varies,
}

/// <summary>What refreshes a binding.</summary>
public enum BindingRefresh
{
    /// <summary>Any segment of the flow, either way: TCP keepalive does.</summary>
    Segments,

    /// <summary>
    /// Bytes of the application alone, as the middlebox ends TCP on both sides or looks above it: TCP keepalive does not.
    /// </summary>
    Payload,
}

/// <summary>One kind of middlebox, as its maker or those who measured it describe it.</summary>
/// <param name="Name">As in <c>--for</c>: lower-case letters, digits and hyphens; unique.</param>
/// <param name="Title">For people.</param>
/// <param name="IdleTimeout">The default: silence after which a binding is forgotten; whole seconds.</param>
/// <param name="Least">The least it can be set to; equal to <paramref name="Most"/> where it is fixed; null where the source does not say.</param>
/// <param name="Most">The most it can be set to; null where the source does not say.</param>
/// <param name="Expiry">What happens then.</param>
/// <param name="Refresh">What keeps it from happening.</param>
/// <param name="Note">What else is to be known; null for nothing.</param>
/// <param name="Source">Who says so.</param>
/// <param name="Checked">When that was looked at.</param>
/// <param name="IsWeak">From memory or from a source of little weight.</param>
internal sealed record KnownMiddlebox(
    string Name, string Title, TimeSpan IdleTimeout, TimeSpan? Least, TimeSpan? Most,
    ExpiryBehaviour Expiry, BindingRefresh Refresh, string? Note, string Source, DateOnly Checked, bool IsWeak)
{
    /// <summary>Consecutive probes or answers that may be lost before it forgets the flow; null when it forgets it anyway.</summary>
    public int? LostProbes(KeepAlivePolicy policy) => Refresh == BindingRefresh.Payload ? null : BindingMargin.LostProbes(policy, IdleTimeout);
}
