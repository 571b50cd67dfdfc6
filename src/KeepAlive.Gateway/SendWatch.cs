using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// Finds a peer that died with data under way, where kernel keepalive waits (tcp_keepalive_timer), without harming one
/// that reads slowly: TCP_USER_TIMEOUT would find it too, but also ends a connection whose peer keeps its window
/// closed that long, alive and answering (tcp_timer.c, tcp_probe_timer). Linux only; elsewhere it sees nothing.
/// </summary>
/// <remarks>A mutable struct, to live beside its socket.</remarks>
internal struct SendWatch
{
    private Instant _since;
    private long _sent;

    /// <summary>Since when something is known to wait for its acknowledgment; <see cref="Instant.Zero"/> when nothing does.</summary>
    public readonly Instant OwedSince => _since;

    /// <summary>Whether there is anything to ask the kernel: not when nothing was sent since nothing was owed. It sees to its own probes.</summary>
    /// <param name="sent">How many bytes were sent to the peer so far.</param>
    public bool IsOwed(long sent)
    {
        bool isOwed = _since != Instant.Zero || sent != _sent;
        _sent = sent;
        return isOwed;
    }

    /// <summary>Nobody looks for now: what was owed is owed no longer when it is looked at again.</summary>
    public void Rest() => this = default;

    /// <summary>Whether something sent, data or a probe, has drawn no acknowledgment for this long.</summary>
    public bool IsDead(PeerContact? seen, TimeSpan bound, Instant now)
    {
        if (seen is not { IsAnswerDue: true } contact)
        {
            _since = Instant.Zero;
            return false;
        }

        // Since when is not known: since it was first seen, or since the last acknowledgment after that.
        Instant acknowledged = new(now.Ticks - contact.SinceAck.Ticks);
        _since = _since == Instant.Zero ? now : Instant.Max(_since, acknowledged);
        return now - _since >= bound;
    }
}
