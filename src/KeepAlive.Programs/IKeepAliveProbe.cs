namespace KeepAlive;

/// <summary>How a protocol of one's own asks its peer whether it is there: implemented by a connection, or whatever owns one.</summary>
/// <remarks>
/// What answers is the connection's to see, in the loop that reads it: any bytes prove a peer alive, so that
/// <see cref="KeepAliveFlow.Touch"/> after each read is enough. Where only the answer shall count (a peer that still sends, but no longer
/// thinks), call it for answers alone.
/// </remarks>
public interface IKeepAliveProbe
{
    /// <summary>
    /// Sends a probe, on a thread of the pool. Never called again for a flow before it is done; one that hangs counts as unanswered. It is
    /// given no token: whoever sees the peer dead closes the connection, which ends every send on it.
    /// </summary>
    /// <remarks>What it throws is taken for the death of the connection: <see cref="KeepAliveFlow.Fault"/>.</remarks>
    ValueTask SendProbeAsync();
}
