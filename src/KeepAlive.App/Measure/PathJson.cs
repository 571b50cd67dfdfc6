using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.Json;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Measure;

/// <summary>What is known of a path, as JSON: what <c>measure --json</c> prints and the store keeps.</summary>
internal static class PathJson
{
    private const string Time = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>One path.</summary>
    public static string ToText(PathRecord record) => JsonText.Of(json => Write(json, record));

    /// <summary>All of them, as a file.</summary>
    public static string ToText(PathBook book) => JsonText.Of(json =>
    {
        json.WriteNumber("version", 1);
        json.WriteStartArray("paths");
        foreach (PathRecord record in book.Measured)
        {
            json.WriteStartObject();
            Write(json, record);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("tuned");
        foreach (TunedRecord record in book.Tuned) Write(json, record);
        json.WriteEndArray();
    });

    /// <summary>Reads such a file.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out PathBook? book, [NotNullWhen(false)] out string? fault)
    {
        (book, fault) = (null, null);
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.GetProperty("version").GetInt32() != 1) fault = "it is of another version";
            else
            {
                book = new PathBook(
                    [.. document.RootElement.GetProperty("paths").EnumerateArray().Select(Read)],
                    document.RootElement.TryGetProperty("tuned", out JsonElement tuned) ? [.. tuned.EnumerateArray().Select(ReadTuned)] : []);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            fault = e.Message;
        }

        return fault is null && book is not null;
    }

    private static void Write(Utf8JsonWriter json, PathRecord record)
    {
        PathFinding found = record.Finding;
        json.WriteString("target", record.Target);
        json.WriteString("remote", $"{record.Remote}");
        json.WriteString("local", record.Local);
        json.WriteString("measuredAt", record.MeasuredAt.ToString(Time, CultureInfo.InvariantCulture));
        json.WriteNumber("survivedSeconds", Rounded(found.Low.TotalSeconds));
        if (found.High is { } high) json.WriteNumber("lostSeconds", Rounded(high.TotalSeconds));
        else json.WriteNull("lostSeconds");
        json.WriteString("expiry", PathRecord.NameOf(found.Expiry));
        Write(json, "clientKeepAliveRefreshes", found.ClientKeepAlive);
        Write(json, "serverKeepAliveRefreshes", found.ServerKeepAlive);
        Write(json, "clientBytesRefresh", found.ClientBytes);
        Write(json, "serverBytesRefresh", found.ServerBytes);
        Write(json, "keepAliveCrosses", found.KeepAliveCrosses);
        Write(json, "clientRevives", found.ClientRevives);
        json.WriteString("keepAlivePolicy", found.KeepAlivePolicy()?.ToString());
        json.WriteString("probePolicy", found.ProbePolicy()?.ToString());
        json.WriteNumber("connections", found.Connections);
        json.WriteNumber("failedConnections", found.Failed);
        json.WriteNumber("tookSeconds", Rounded(found.Took.TotalSeconds));
        json.WriteNumber("roundTripMs", Rounded(found.RoundTrip.TotalMilliseconds));
    }

    private static void Write(Utf8JsonWriter json, TunedRecord record)
    {
        json.WriteStartObject();
        json.WriteString("remote", $"{record.Remote}");
        json.WriteString("tunedAt", record.TunedAt.ToString(Time, CultureInfo.InvariantCulture));
        json.WriteString("keepAlivePolicy", record.Policy.ToString());
        json.WriteNumber("idleTimesLived", record.IdleTimes);
        json.WriteNumber("flowsLived", record.Flows);
        json.WriteEndObject();
    }

    private static TunedRecord ReadTuned(JsonElement path) => new(
        IPAddress.Parse(path.GetProperty("remote").GetString()!),
        TimeOf(path, "tunedAt"),
        KeepAliveSpec.Parse(path.GetProperty("keepAlivePolicy").GetString()!).Policy ?? throw new FormatException("a tuned path needs a policy of three numbers"),
        path.GetProperty("idleTimesLived").GetInt64(),
        path.GetProperty("flowsLived").GetInt32());

    private static PathRecord Read(JsonElement path) => new(
        path.GetProperty("target").GetString()!,
        IPEndPoint.Parse(path.GetProperty("remote").GetString()!),
        path.GetProperty("local").GetString()!,
        TimeOf(path, "measuredAt"),
        new PathFinding
        {
            Low = Seconds(path.GetProperty("survivedSeconds")),
            High = path.GetProperty("lostSeconds") is { ValueKind: not JsonValueKind.Null } lost ? Seconds(lost) : null,
            Expiry = PathRecord.ExpiryOf(path.GetProperty("expiry").GetString()) ?? throw new FormatException($"there is no expiry '{path.GetProperty("expiry").GetString()}'"),
            ClientKeepAlive = AnswerOf(path, "clientKeepAliveRefreshes"),
            ServerKeepAlive = AnswerOf(path, "serverKeepAliveRefreshes"),
            ClientBytes = AnswerOf(path, "clientBytesRefresh"),
            ServerBytes = AnswerOf(path, "serverBytesRefresh"),
            KeepAliveCrosses = AnswerOf(path, "keepAliveCrosses"),
            ClientRevives = AnswerOf(path, "clientRevives"),
            Connections = path.GetProperty("connections").GetInt32(),
            Failed = path.GetProperty("failedConnections").GetInt32(),
            Took = Seconds(path.GetProperty("tookSeconds")),
            RoundTrip = TimeSpan.FromMilliseconds(path.GetProperty("roundTripMs").GetDouble()),
        });

    private static DateTimeOffset TimeOf(JsonElement path, string name) =>
        DateTimeOffset.ParseExact(path.GetProperty(name).GetString()!, Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static TimeSpan Seconds(JsonElement number) => TimeSpan.FromSeconds(number.GetDouble());

    private static Answer AnswerOf(JsonElement path, string name) => path.GetProperty(name) switch
    {
        { ValueKind: JsonValueKind.Null } => Answer.Unknown,
        var known => known.GetBoolean() ? Answer.Yes : Answer.No,
    };

    private static void Write(Utf8JsonWriter json, string name, Answer answer)
    {
        if (answer == Answer.Unknown) json.WriteNull(name);
        else json.WriteBoolean(name, answer == Answer.Yes);
    }

    private static double Rounded(double number) => Math.Round(number, 3);
}
