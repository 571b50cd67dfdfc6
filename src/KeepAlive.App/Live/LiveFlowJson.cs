using System.Text.Json;
using KeepAlive.App.Events;
using KeepAlive.Core;

namespace KeepAlive.App.Live;

/// <summary>A flow for machines. Names and meanings stay; new ones may come.</summary>
internal static class LiveFlowJson
{
    private static readonly JsonEncodedText[] States = [.. Enum.GetValues<LiveFlowState>().Select(state => JsonEncodedText.Encode(StateName(state)))];
    private static readonly JsonEncodedText[] Kinds = [.. Enum.GetValues<MarkKind>().Select(kind => JsonEncodedText.Encode(kind.ToString().ToLowerInvariant()))];

    public static string StateName(LiveFlowState state) => state.ToString().ToLowerInvariant();

    /// <summary>An object.</summary>
    public static void Write(Utf8JsonWriter writer, LiveFlow flow)
    {
        writer.WriteStartObject();
        WriteMembers(writer, flow);
        writer.WriteEndObject();
    }

    /// <summary>What is in it.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, LiveFlow flow)
    {
        writer.WriteNumber("id", flow.Id);
        writer.WriteString("gateway", flow.Gateway);
        writer.WriteString("protocol", flow.Told?.Protocol ?? "tcp");
        writer.WriteString("layer", flow.Layer);
        writer.WriteString("policy", flow.Spec?.ToString() ?? "");
        writer.WriteString("client", flow.Client);
        writer.WriteString("server", flow.Server);
        writer.WriteNumber("openedAt", Moment(flow.OpenedAt));
        if (flow.EndedAt is { } ended) writer.WriteNumber("endedAt", Moment(ended));
        writer.WriteString("state", States[(int)flow.State]);
        writer.WriteStartObject("probes");
        writer.WriteNumber("sent", flow.Sent);
        writer.WriteNumber("answered", flow.Answered);
        writer.WriteNumber("unanswered", Math.Max(flow.Unanswered, flow.KernelUnanswered));
        writer.WriteNumber("of", flow.Spec is not { IsOn: true } spec ? 0 : (spec.Policy ?? KeepAlivePolicy.Default).Count);
        writer.WriteEndObject();
        WritePair(writer, "heardAt", Moment(flow.ClientHeard), Moment(flow.ServerHeard));
        WritePair(writer, "bytes", flow.BytesDown, flow.BytesUp);
        if (flow.RoundTrip is { } took) writer.WriteNumber("roundTripMs", Math.Round(took.TotalMilliseconds, 3));
        writer.WriteBoolean("isPlain", flow.Layer == "tcp");
        writer.WriteString("text", flow.Text);
        WriteMarks(writer, flow);
    }

    /// <summary>What changes with every byte, as a list of five numbers.</summary>
    public static void WriteFacts(Utf8JsonWriter writer, LiveFlow flow)
    {
        writer.WriteStartArray();
        writer.WriteNumberValue(flow.Id);
        writer.WriteNumberValue(Moment(flow.ClientHeard));
        writer.WriteNumberValue(Moment(flow.ServerHeard));
        writer.WriteNumberValue(flow.BytesDown);
        writer.WriteNumberValue(flow.BytesUp);
        writer.WriteEndArray();
    }

    /// <summary>A moment as the page reckons: Unix milliseconds of the server's clock.</summary>
    public static long Moment(Instant at) => ToldEvent.TimeOf(at).ToUnixTimeMilliseconds();

    private static void WritePair(Utf8JsonWriter writer, string name, long down, long up)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("down", down);
        writer.WriteNumber("up", up);
        writer.WriteEndObject();
    }

    private static void WriteMarks(Utf8JsonWriter writer, LiveFlow flow)
    {
        writer.WriteStartArray("marks");
        foreach (Mark mark in flow.Marks)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(Moment(mark.At));
            writer.WriteStringValue(Kinds[(int)mark.Kind]);
            if (mark.Leg is not { } leg) writer.WriteNullValue();
            else writer.WriteStringValue(leg == Leg.Downstream ? "down" : "up");
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    }
}
