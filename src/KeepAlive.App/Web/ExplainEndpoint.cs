using System.Globalization;
using System.Text.Json;
using KeepAlive.App.Explain;
using KeepAlive.Paths.Catalogue;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>What a policy means, costs and survives, as <c>keepalive explain</c> says it.</summary>
internal static class ExplainEndpoint
{
    private const double HoursADay = 24;

    public static void Map(IEndpointRouteBuilder to) => to.MapGet("/api/v1/explain", ExplainAsync);

    private static Task ExplainAsync(HttpContext context)
    {
        string? text = context.Request.Query["spec"], name = context.Request.Query["as"];
        var faults = new List<string>();
        Dialect? dialect = null;
        if (!KeepAliveSpec.TryParse(text ?? "", out KeepAliveSpec spec, out string? fault)) faults.Add(fault);
        if (name is { Length: > 0 } && (dialect = Dialect.Find(name)) is null) faults.Add($"as: '{Texts.Printable(name)}' is not known: give one of {string.Join(", ", Dialect.All.Select(d => d.Name))}");
        return faults.Count > 0 ? Answers.FaultsAsync(context, faults)
            : Answers.JsonAsync(context, writer => Write(writer, spec, dialect is null ? Dialect.All : [dialect]));
    }

    private static void Write(Utf8JsonWriter writer, KeepAliveSpec spec, IEnumerable<Dialect> dialects)
    {
        KeepAlivePolicy? policy = spec.Policy;
        writer.WriteString("spec", spec.ToString());
        writer.WriteString("text", spec.Describe());
        writer.WriteBoolean("isOn", spec.IsOn);
        Explanation.WriteNumbers(writer,
        [
            ("idleMs", policy?.Idle.TotalMilliseconds),
            ("count", policy?.Count),
            ("intervalMs", policy?.Interval.TotalMilliseconds),
            ("detectionMs", policy?.DetectionTime.TotalMilliseconds),
            ("userTimeoutMs", policy?.DetectionTime <= KeepAlive.UserTimeout.DerivedMax ? policy.DetectionTime.TotalMilliseconds : null),
            ("refreshMs", policy is null ? null : Math.Max(policy.Idle.TotalMilliseconds, policy.Interval.TotalMilliseconds)),
            ("probesPerDay", policy is null ? null : Cost.ProbesPerDay(policy)),
            ("bytesPerDayIPv4", policy is null ? null : Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4)),
            ("bytesPerDayIPv6", policy is null ? null : Cost.BytesPerDay(policy, Cost.SegmentBytesIPv6)),
            ("bytesPerHourIdle", policy is null ? null : Math.Round(Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4) / HoursADay, 1)),
        ]);
        writer.WriteStartArray("middleboxes");
        foreach (KnownMiddlebox middlebox in MiddleboxCatalogue.All) Write(writer, middlebox, policy);
        writer.WriteEndArray();
        writer.WriteStartArray("spellings");
        foreach (Dialect dialect in dialects)
        {
            writer.WriteStartObject();
            writer.WriteString("as", dialect.Name);
            writer.WriteString("title", dialect.Title);
            writer.WriteString("text", string.Join('\n', dialect.Render(spec)));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("faults");
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, KnownMiddlebox middlebox, KeepAlivePolicy? policy)
    {
        int? lost = policy is null ? null : middlebox.LostProbes(policy);
        writer.WriteStartObject();
        writer.WriteString("id", middlebox.Name);
        writer.WriteString("name", middlebox.Title);
        writer.WriteNumber("timeoutMs", middlebox.IdleTimeout.TotalMilliseconds);
        writer.WriteString("refresh", JsonNamingPolicy.CamelCase.ConvertName(middlebox.Refresh.ToString()));
        writer.WriteString("expiry", JsonNamingPolicy.CamelCase.ConvertName(middlebox.Expiry.ToString()));
        if (policy is null) writer.WriteNull("survives");
        else writer.WriteBoolean("survives", lost is not null);
        if (lost is { } number) writer.WriteNumber("lostProbes", number);
        else writer.WriteNull("lostProbes");
        writer.WriteString("text", policy is null ? "" : MiddleboxVerdicts.Word(middlebox, policy));
        writer.WriteString("note", middlebox.Note);
        writer.WriteString("source", middlebox.Source);
        writer.WriteString("checked", middlebox.Checked.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        writer.WriteBoolean("isWeak", middlebox.IsWeak);
        writer.WriteEndObject();
    }
}
