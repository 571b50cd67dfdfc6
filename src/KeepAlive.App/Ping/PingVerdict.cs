using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>What a ping comes to.</summary>
internal enum PingOutcome
{
    /// <summary>It answered.</summary>
    Alive,

    /// <summary>Its kernel acknowledges what is sent; the server itself does not answer.</summary>
    Hung,

    /// <summary>Nothing is acknowledged.</summary>
    Dead,

    /// <summary>Connection refused, or reset.</summary>
    Refused,

    /// <summary>No way there: no such name, no route.</summary>
    Unreachable,

    /// <summary>It has ended the session.</summary>
    Closed,

    /// <summary>Something else is there: another protocol, a certificate that is not accepted.</summary>
    Strange,

    /// <summary>A signal ended the ping before there was a verdict.</summary>
    Stopped,
}

/// <summary>The outcome, and one line for people.</summary>
internal sealed record PingVerdict(PingOutcome Outcome, string Text)
{
    /// <summary>As in JSON.</summary>
    public string Name => Outcome.ToString().ToLowerInvariant();

    /// <summary>A server that was silent for too long: is its machine there?</summary>
    /// <param name="contact">What the kernel knows; null where it tells nothing.</param>
    /// <param name="silence">How long.</param>
    /// <param name="what">What was waited for.</param>
    public static PingVerdict Silent(PeerContact? contact, TimeSpan silence, string what) => contact switch
    {
        null => new(PingOutcome.Dead, $"dead after {Seconds(silence)}: {what}; whether TCP acknowledges is not told on this system"),
        { } seen when IsDeaf(seen) => new(PingOutcome.Dead, $"dead after {Seconds(silence)}: nothing acknowledged, {what}"),
        _ => new(PingOutcome.Hung, $"application hung: TCP acknowledges, the server does not answer: {what} for {Seconds(silence)}"),
    };

    // A keepalive probe of the kernel's that has just gone out proves nothing yet: it goes after a second.
    private static bool IsDeaf(PeerContact seen) => seen.IsAnswerDue && (seen.UnacknowledgedSegments > 0 || seen.SinceAck >= KernelProbe.IdleMin * 1.5);

    /// <summary>A duration, to the tenth of a second.</summary>
    public static string Seconds(TimeSpan span) => Duration.Format(TimeSpan.FromSeconds(Math.Round(span.TotalSeconds, 1)));
}
