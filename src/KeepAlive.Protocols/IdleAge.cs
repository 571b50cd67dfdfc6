using KeepAlive.Core;

namespace KeepAlive.Protocols;

/// <summary>
/// Keeping a path warm resets most servers' idle timers as well. That is their administrators' decision: sessions are kept for
/// as long after the client's last message as servers allow by default, longer only when asked for by name.
/// </summary>
internal static class IdleAge
{
    /// <summary>None any more.</summary>
    public static ProbeAttempt Past(TimeSpan max) =>
        new(ProbeOutcome.Withheld, $"no command from the client for {Duration.Format(max)}: the server's own idle policy rules (--hold to override)");
}
