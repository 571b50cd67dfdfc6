using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary><c>keepalive explain SPEC</c>: what a policy means, what it costs, how others spell it.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<KeepAliveSpec> Spec = new("SPEC")
    {
        Description = "idle:count:interval, named parts, on or off",
        CustomParser = result =>
        {
            if (KeepAliveSpec.TryParse(result.Tokens[0].Value, out KeepAliveSpec spec, out string? faults)) return spec;
            result.AddError(faults);
            return default;
        },
    };

    private static readonly Option<Dialect?> As = CommandLine.Option<Dialect?>("--as", "That product's spelling alone: " + string.Join(", ", Dialect.All.Select(d => d.Name)), FindDialect);
    private static readonly Option<bool> Json = new("--json") { Description = "As one JSON object" };

    public static Command Create()
    {
        var command = new Command("explain", "What a policy means, what it costs, and how others spell it.") { Spec, As, Json };
        command.SetAction(parsed =>
        {
            KeepAliveSpec spec = parsed.GetValue(Spec);
            Dialect? dialect = parsed.GetValue(As);
            parsed.InvocationConfiguration.Output.Write(
                parsed.GetValue(Json) ? ToJson(spec, dialect is null ? Dialect.All : [dialect])
                : dialect is not null ? Lines(dialect.Render(spec)) : ToText(spec));
            return CommandLine.Done;
        });
        return command;
    }

    internal static string ToText(KeepAliveSpec spec)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{spec}: {spec.Describe()}\n");
        KeepAlivePolicy? policy = spec.Policy ?? (spec.IsOn ? KeepAlivePolicy.Default : null);
        if (policy is not null)
        {
            if (spec.Policy is null) text.Append(CultureInfo.InvariantCulture, $"  below: as if they were Linux's defaults, {policy}\n");
            text.Append(CultureInfo.InvariantCulture, $"  first probe      {Duration.Format(policy.Idle)} after the last sign of life\n");
            text.Append(CultureInfo.InvariantCulture, $"  dead             {Duration.Format(policy.DetectionTime)} after it, when {policy.Count} in a row stay unanswered\n");
            text.Append(CultureInfo.InvariantCulture, $"  idle all day     {Cost.ProbesPerDay(policy)} probes, {Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4)} bytes with their answers (IPv6 {Cost.BytesPerDay(policy, Cost.SegmentBytesIPv6)}), link layer not counted\n");
            text.Append("  data under way   keepalive waits while data is unacknowledged: set the TCP user timeout as well, to ")
                .Append(Duration.Format(policy.DetectionTime)).Append(", or Linux retries for 15 minutes\n");
        }

        foreach (Dialect dialect in Dialect.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{dialect.Title}  [--as {dialect.Name}]\n");
            foreach (string line in dialect.Render(spec)) text.Append("  ").Append(line).Append('\n');
        }

        return text.ToString();
    }

    internal static string ToJson(KeepAliveSpec spec, IEnumerable<Dialect> dialects)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("spec", spec.ToString());
            writer.WriteString("meaning", spec.Describe());
            if (spec.Policy is { } policy)
            {
                writer.WriteNumber("idleSeconds", policy.Idle.TotalSeconds);
                writer.WriteNumber("count", policy.Count);
                writer.WriteNumber("intervalSeconds", policy.Interval.TotalSeconds);
                writer.WriteNumber("detectionSeconds", policy.DetectionTime.TotalSeconds);
                writer.WriteNumber("probesPerDay", Cost.ProbesPerDay(policy));
                writer.WriteNumber("bytesPerDayIPv4", Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4));
                writer.WriteNumber("bytesPerDayIPv6", Cost.BytesPerDay(policy, Cost.SegmentBytesIPv6));
            }

            writer.WriteStartObject("as");
            foreach (Dialect dialect in dialects) writer.WriteString(dialect.Name, string.Join('\n', dialect.Render(spec)));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static string Lines(IReadOnlyList<string> lines) => string.Join('\n', lines) + "\n";

    private static bool FindDialect(string name, out Dialect? dialect, out string? fault)
    {
        dialect = Dialect.Find(name);
        fault = dialect is null ? $"'{name}' is not known: give one of {string.Join(", ", Dialect.All.Select(d => d.Name))}" : null;
        return dialect is not null;
    }
}
