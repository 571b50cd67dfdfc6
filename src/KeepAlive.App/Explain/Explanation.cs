using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepAlive.Core;

namespace KeepAlive.App.Explain;

/// <summary>What a SPEC means, what it costs, what it survives and how others spell it: for people, and as JSON.</summary>
internal static class Explanation
{
    /// <summary>Of the names of facts.</summary>
    public const int NameWidth = 17;

    public static string ToText(KeepAliveSpec spec, Traffic traffic, MeasuredVerdicts measured)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{spec}: {spec.Describe()}\n");
        if (spec.IsOn && spec.Policy is null) text.Append(CultureInfo.InvariantCulture, $"  below: as if they were Linux's defaults, {KeepAlivePolicy.Default}\n");
        if (spec.IsOn)
        {
            foreach ((string name, string value) in Facts(spec.Policy ?? KeepAlivePolicy.Default, traffic, measured)) text.Append("  ").Append(name.PadRight(NameWidth)).Append(value).Append('\n');
        }

        foreach (Dialect dialect in Dialect.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{dialect.Title}  [--as {dialect.Name}]\n");
            foreach (string line in dialect.Render(spec)) text.Append("  ").Append(line).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The shape is the same for every SPEC; numbers that it does not have are null.</summary>
    public static void Write(Utf8JsonWriter writer, KeepAliveSpec spec, IEnumerable<Dialect> dialects, Traffic traffic, MeasuredVerdicts measured)
    {
        writer.WriteString("spec", spec.ToString());
        writer.WriteString("meaning", spec.Describe());
        writer.WriteBoolean("on", spec.IsOn);
        WriteNumbers(writer, [.. Numbers(spec.Policy), .. traffic.Numbers(spec.Policy)]);
        MiddleboxVerdicts.Write(writer, spec.Policy);
        measured.Write(writer, spec.Policy);
        writer.WriteStartObject("as");
        foreach (Dialect dialect in dialects) writer.WriteString(dialect.Name, string.Join('\n', dialect.Render(spec)));
        writer.WriteEndObject();
    }

    public static void WriteNumbers(Utf8JsonWriter writer, IEnumerable<(string Name, double? Value)> numbers)
    {
        foreach ((string name, double? value) in numbers)
        {
            if (value is { } number) writer.WriteNumber(name, number);
            else writer.WriteNull(name);
        }
    }

    public static IEnumerable<(string Name, double? Value)> Numbers(KeepAlivePolicy? policy) =>
    [
        ("idleSeconds", policy?.Idle.TotalSeconds),
        ("count", policy?.Count),
        ("intervalSeconds", policy?.Interval.TotalSeconds),
        ("detectionSeconds", policy?.DetectionTime.TotalSeconds),
        ("userTimeoutSeconds", policy?.DetectionTime <= UserTimeout.DerivedMax ? policy.DetectionTime.TotalSeconds : null),
        ("probesPerDay", policy is null ? null : Cost.ProbesPerDay(policy)),
        ("bytesPerDayIPv4", policy is null ? null : Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4)),
        ("bytesPerDayIPv6", policy is null ? null : Cost.BytesPerDay(policy, Cost.SegmentBytesIPv6)),
    ];

    private static IEnumerable<(string Name, string Value)> Facts(KeepAlivePolicy policy, Traffic traffic, MeasuredVerdicts measured)
    {
        string detection = Duration.Format(policy.DetectionTime), interval = Duration.Format(policy.Interval);
        yield return ("first probe", $"{Duration.Format(policy.Idle)} after the last sign of life");
        // tcp_timer.c, tcp_keepalive_timer: an answer does not bring the next probe closer than the interval.
        if (policy.Interval > policy.Idle) yield return ("after an answer", $"the next probe waits for the interval, {interval}: a middlebox sees no more than one in that time, and death is found up to {Duration.Format(policy.Interval * (policy.Count + 1))} after the answer");
        yield return ("dead", policy.Count == 1 ? $"{detection} after it, when the probe stays unanswered" : $"{detection} after it, when {policy.Count} in a row stay unanswered");
        foreach ((string Name, string Value) fact in (IEnumerable<(string, string)>)[.. Cost.Facts(policy), .. traffic.Facts(policy)]) yield return fact;
        yield return ("data under way", "keepalive waits while data is unacknowledged: " + (policy.DetectionTime <= UserTimeout.DerivedMax
            ? $"set the TCP user timeout as well, to {detection}, or Linux retries for about 15 minutes"
            : "Linux retries for about 15 minutes, sooner than this policy; leave the TCP user timeout alone"));
        foreach ((string title, IEnumerable<string> lines) in ((string, IEnumerable<string>)[])[("middleboxes", MiddleboxVerdicts.Summary(policy)), ("measured paths", measured.Summary(policy))])
        {
            string name = title;
            foreach (string line in lines)
            {
                yield return (name, line);
                name = "";
            }
        }
    }
}
