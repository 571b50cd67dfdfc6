using System.Net;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Measure;

/// <summary>What is known of one path.</summary>
/// <param name="Target">HOST:PORT, as it was asked for.</param>
/// <param name="Remote">The address and port that this was then.</param>
/// <param name="Local">Our own address towards it: another network is another path.</param>
/// <param name="MeasuredAt">When, UTC.</param>
/// <param name="Finding">What was found.</param>
internal sealed record PathRecord(string Target, IPEndPoint Remote, string Local, DateTimeOffset MeasuredAt, PathFinding Finding)
{
    /// <summary>A way to fail, as JSON names it.</summary>
    public static string NameOf(Expiry expiry) => expiry switch
    {
        Expiry.None => "none",
        Expiry.Silent => "silent",
        Expiry.ResetOnUse => "reset-on-use",
        Expiry.Reset => "reset",
        _ => "close",
    };

    /// <summary>The way to fail of that name; null when there is none.</summary>
    public static Expiry? ExpiryOf(string? name) => Enum.GetValues<Expiry>().Where(e => NameOf(e) == name).Select(e => (Expiry?)e).FirstOrDefault();
}

/// <summary>What a gateway has found out about one path by what happened to its flows.</summary>
/// <param name="Remote">The far end.</param>
/// <param name="TunedAt">When it was sure of it last, UTC.</param>
/// <param name="Policy">Kernel keepalive under which flows live.</param>
/// <param name="IdleTimes">Idle times that they have lived through under it, none of them broken.</param>
/// <param name="Flows">How many flows these were.</param>
internal sealed record TunedRecord(IPAddress Remote, DateTimeOffset TunedAt, KeepAlivePolicy Policy, long IdleTimes, int Flows);

/// <summary>All that is known of paths.</summary>
internal sealed record PathBook(IReadOnlyList<PathRecord> Measured, IReadOnlyList<TunedRecord> Tuned)
{
    public static PathBook Empty { get; } = new([], []);
}

/// <summary>What a finding asks for.</summary>
internal static class FindingPolicies
{
    /// <summary>Kernel keepalive that keeps this path; null where that does not refresh it.</summary>
    public static KeepAlivePolicy? KeepAlivePolicy(this PathFinding found) =>
        found.High is null || found.ClientKeepAlive == Answer.Yes ? PathAdvice.For(found.Low) : null;

    /// <summary>Probes of the application's own protocol that keep it; null where kernel keepalive does, or these do not.</summary>
    public static KeepAlivePolicy? ProbePolicy(this PathFinding found) =>
        found.High is not null && found.ClientKeepAlive != Answer.Yes && (found.ClientBytes == Answer.Yes || found.ServerBytes == Answer.Yes) ? PathAdvice.For(found.Low) : null;
}
