using System.Globalization;
using System.Net;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Gateways;

/// <summary>What the store's records say about kernel keepalive on a path.</summary>
/// <param name="book">What is known.</param>
/// <param name="choice">What was asked for.</param>
internal sealed class KnownPaths(PathBook book, TcpChoice choice)
{
    /// <summary>For the path to an address; null where nothing is known.</summary>
    public PathKnowledge? Of(IPEndPoint remote)
    {
        PathRecord? measured = PathStore.Find(book.Measured, remote);
        TunedRecord? tuned = choice.IsByPath ? PathStore.Find(book.Tuned, remote.Address) : null;
        // What real flows have lived under says more than a neighbour, or than what was measured before.
        if (tuned is not null && (measured is null || !measured.Remote.Address.Equals(remote.Address) || measured.MeasuredAt <= tuned.TunedAt))
        {
            return new PathKnowledge($"{remote.Address}: tuned until {At(tuned.TunedAt)}, {tuned.IdleTimes} idle times lived through by {tuned.Flows} flow(s): kernel keepalive {tuned.Policy}")
            {
                Start = tuned.Policy,
                Enough = measured?.Finding.KeepAlivePolicy(),
            };
        }

        return measured is null ? null : Of(measured, remote.Address);
    }

    private PathKnowledge Of(PathRecord measured, IPAddress remote)
    {
        PathFinding found = measured.Finding;
        string known = $"{remote}: measured on {At(measured.MeasuredAt)} to {Texts.Printable(measured.Target)}";
        if (found.KeepAlivePolicy() is { } enough)
        {
            known += $": {Duration.Format(found.Low)} of silence are survived";
            return choice.IsByPath ? new PathKnowledge($"{known}: kernel keepalive {enough}") { Start = enough, Enough = enough }
                : new PathKnowledge($"{known}, for which {enough} is enough: idle is not tuned below {Duration.Format(enough.Idle)}") { Enough = enough };
        }

        string why = found.ClientKeepAlive switch
        {
            Answer.No => "kernel keepalive does not refresh it",
            Answer.Yes => $"{Duration.Format(found.Low)} of silence are survived, too little for kernel keepalive, which counts whole seconds",
            _ => "whether kernel keepalive refreshes it was not found out",
        };
        return new PathKnowledge($"{known}: {why}: it stays {choice.Spec}; probes of the protocol (--probe) are what helps");
    }

    private static string At(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
