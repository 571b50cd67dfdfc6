using System.Globalization;
using System.Text.Json;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Explain;

/// <summary>Which of the paths that were measured from here a policy survives.</summary>
internal sealed class MeasuredVerdicts(IReadOnlyList<PathRecord> paths)
{
    // The newest come first; all of them are in the JSON.
    private const int LinesMax = 5;

    /// <summary>All there is. A file that cannot be read is told of, and is no reason to explain nothing.</summary>
    public static MeasuredVerdicts Read()
    {
        try
        {
            return new MeasuredVerdicts(PathStore.Default.Read());
        }
        catch (MachineException e)
        {
            CommandLine.Complain($"keepalive explain: measured paths are left out: {e.Message}");
            return new MeasuredVerdicts([]);
        }
    }

    /// <summary>A line a path.</summary>
    public IEnumerable<string> Summary(KeepAlivePolicy policy)
    {
        foreach (PathRecord path in paths.Take(LinesMax)) yield return string.Create(CultureInfo.InvariantCulture, $"{Texts.Printable(path.Target)}, {Limit(path.Finding)} ({path.MeasuredAt:yyyy-MM-dd}): {Verdict(path.Finding, policy)}");
        if (paths.Count > LinesMax) yield return $"and {paths.Count - LinesMax} more: --json";
    }

    public void Write(Utf8JsonWriter writer, KeepAlivePolicy? policy)
    {
        writer.WriteStartArray("measuredPaths");
        foreach (PathRecord path in paths)
        {
            int? lost = policy is null ? null : LostProbes(path.Finding, policy);
            writer.WriteStartObject();
            writer.WriteString("target", path.Target);
            writer.WriteString("remote", $"{path.Remote}");
            writer.WriteNumber("timeoutSeconds", path.Finding.Low.TotalSeconds);
            writer.WriteBoolean("forgets", path.Finding.High is not null);
            if (policy is null) writer.WriteNull("survived");
            else writer.WriteBoolean("survived", lost is not null || path.Finding.High is null);
            if (lost is { } number) writer.WriteNumber("lostProbes", number);
            else writer.WriteNull("lostProbes");
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Limit(PathFinding found) => found.High is null ? $"nothing forgotten within {Seconds(found.Low)}" : $"forgets after {Seconds(found.Low)}";

    private static string Verdict(PathFinding found, KeepAlivePolicy policy) =>
        found.High is null ? "survives"
        : found.ClientKeepAlive == Answer.No ? "keepalive is ignored there: use 'keepalive gateway'"
        : BindingMargin.LostProbes(policy, found.Low) is { } lost ? lost == 0 ? "survives, if no probe is lost" : $"survives {lost} lost in a row" : "too late";

    private static int? LostProbes(PathFinding found, KeepAlivePolicy policy) =>
        found.High is null || found.ClientKeepAlive == Answer.No ? null : BindingMargin.LostProbes(policy, found.Low);

    private static string Seconds(TimeSpan time) => Duration.Format(TimeSpan.FromSeconds(Math.Round(time.TotalSeconds, 1)));
}
