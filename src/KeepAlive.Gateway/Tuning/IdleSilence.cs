using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Tuning;

/// <summary>How long a leg had been silent when it broke, as far as the two ends and the kernel tell.</summary>
/// <param name="Length">From the last that was heard of the peer to what it did not answer; without such, to now.</param>
/// <param name="Heard">When that last was: bytes, an acknowledgment, or an answer to a probe.</param>
/// <param name="Received">When its peer sent bytes last.</param>
/// <param name="IsAsked">Whether something waited for its answer, bytes or a probe: a reset that comes unasked may be the peer's own end.</param>
internal readonly record struct IdleSilence(TimeSpan Length, Instant Heard, Instant Received, bool IsAsked)
{
    /// <summary>Of a leg that is found dead now.</summary>
    /// <param name="received">When its peer sent bytes last.</param>
    /// <param name="last">What the kernel knew of it at last; null where it tells nothing.</param>
    /// <param name="said">When the other leg's peer sent bytes last: they went to this one.</param>
    /// <param name="owed">Since when something is known to be unanswered; <see cref="Instant.Zero"/> when that is not known.</param>
    /// <param name="now">Now.</param>
    public static IdleSilence Of(Instant received, PeerContact? last, Instant said, Instant owed, Instant now)
    {
        Instant heard = last is { } contact ? Instant.Max(received, new Instant(now.Ticks - contact.Silence.Ticks)) : received;
        // Several may have been said and none answered: the first of them is what found it broken.
        Instant used = said <= heard ? now : owed > heard ? Instant.Min(said, owed) : said;
        return new IdleSilence(used - heard, heard, received, said > heard || last is { UnansweredProbes: > 0 });
    }
}
