using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepAlive.Core;

namespace KeepAlive.App.Ping;

/// <summary>What people and programs are told: a line at a time, as it happens.</summary>
internal sealed class PingReport(TextWriter output, bool isJson)
{
    // Texts come from the wire: quotes and control characters are escaped, letters of any language are not.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The session is open.</summary>
    public void Ready(string what, TimeSpan connected, TimeSpan ready) => Write(
        $"{what}: connected in {Ms(connected)}, ready for probes after {Ms(ready)}",
        "ready", json =>
        {
            json.WriteString("to", what);
            json.WriteNumber("connectMs", Round(connected));
            json.WriteNumber("readyMs", Round(ready));
        });

    /// <summary>The silence that was asked for is over.</summary>
    public void Silent(TimeSpan silence, bool isBroken) => Write(
        $"silent for {Duration.Format(silence)}{(isBroken ? ", but for what the server said by itself" : "")}",
        "silent", json =>
        {
            json.WriteNumber("silentMs", Round(silence));
            json.WriteBoolean("broken", isBroken);
        });

    /// <summary>A probe was answered.</summary>
    public void Answered(SentProbe probe, string answer, TimeSpan? took) => Write(
        $"{probe.Number}  {probe.Text}: {Texts.Printable(answer)}{(took is { } span ? $", {Ms(span)}" : "")}",
        "answered", json =>
        {
            json.WriteNumber("probe", probe.Number);
            json.WriteString("sent", probe.Text);
            json.WriteString("answer", answer);
            if (took is { } known) json.WriteNumber("tookMs", Round(known));
        });

    /// <summary>A probe has drawn no answer so far.</summary>
    public void Unanswered(SentProbe probe, TimeSpan waited) => Write(
        $"{probe.Number}  {probe.Text}: no answer for {PingVerdict.Seconds(waited)}",
        "unanswered", json =>
        {
            json.WriteNumber("probe", probe.Number);
            json.WriteString("sent", probe.Text);
            json.WriteNumber("waitedMs", Round(waited));
        });

    /// <summary>It is over.</summary>
    public void Summary(PingTally tally, PingVerdict verdict)
    {
        string times = tally.RoundTrips is { } t ? string.Create(CultureInfo.InvariantCulture, $"; round trip min/avg/max/mdev {t.Min:0.###}/{t.Avg:0.###}/{t.Max:0.###}/{t.Mdev:0.###} ms") : "";
        string counts = tally.Sent == 0 ? "" : $"{tally.Sent} sent, {tally.Answered} answered, {tally.Lost} lost{times}\n";
        Write(counts + Texts.Printable(verdict.Text), "summary", json =>
        {
            json.WriteNumber("sent", tally.Sent);
            json.WriteNumber("answered", tally.Answered);
            json.WriteNumber("lost", tally.Lost);
            if (tally.RoundTrips is { } known)
            {
                json.WriteNumber("minMs", Math.Round(known.Min, 3));
                json.WriteNumber("avgMs", Math.Round(known.Avg, 3));
                json.WriteNumber("maxMs", Math.Round(known.Max, 3));
                json.WriteNumber("mdevMs", Math.Round(known.Mdev, 3));
            }

            json.WriteString("verdict", verdict.Name);
            json.WriteString("text", verdict.Text);
        });
    }

    private void Write(string text, string kind, Action<Utf8JsonWriter> write)
    {
        output.WriteLine(isJson ? JsonLine(kind, write) : text);
        output.Flush();
    }

    private static string JsonLine(string kind, Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, JsonOptions))
        {
            json.WriteStartObject();
            json.WriteString("event", kind);
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static double Round(TimeSpan span) => Math.Round(span.TotalMilliseconds, 3);

    private static string Ms(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.###} ms");
}
