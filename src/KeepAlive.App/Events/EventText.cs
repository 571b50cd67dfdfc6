using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepAlive.Core;

namespace KeepAlive.App.Events;

/// <summary>An event as one line: for people, or as JSON, the same on stdout, in files and on the page.</summary>
internal static class EventText
{
    // Texts come from the wire: quotes and control characters are escaped, letters of any language are not.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffzzz";

    private static readonly string[] KindNames = [.. Enum.GetValues<FlowEventKind>().Select(NameOf)];

    /// <summary>Every kind of event that the daemon tells of.</summary>
    public static IReadOnlySet<string> Kinds { get; } = new HashSet<string>([.. KindNames, "listening", "observing", "configured", "refused", "failed", "notice", "observed", "changed", "not-changed", "dropped", "summary", "connection", "next", "page", "limited", "lost", "upgraded", "fleet", "fleet-away", "fleet-back"]);

    /// <summary><c>ProbeSent</c> as <c>probe-sent</c>.</summary>
    public static string KindName(FlowEventKind kind) => KindNames[(int)kind];

    /// <summary>For people.</summary>
    public static string Line(ToldEvent e) => e switch
    {
        FlowTold told => Line(told),
        FactTold fact => $"{e.Time:HH:mm:ss.fff} {Name(fact.Name)}{fact.What}: {Texts.Printable(fact.Text)}",
        ListeningTold l => $"{Name(l.Gateway)}listening on {l.Listen} for {l.To} ({l.Protocol}); kernel keepalive {l.Tcp.Describe()}"
            + (l.Protocol == "tcp" ? "" : $"; {l.Protocol} probes {(l.Probe.Policy ?? (l.Probe.IsOn ? KeepAlivePolicy.Default : null))?.Describe() ?? "off"}"),
        _ => throw new ArgumentException($"{e.GetType().Name} has no text", nameof(e)),
    };

    /// <summary>For machines: one object.</summary>
    public static string Json(ToldEvent e) => JsonLine(writer => Write(writer, e));

    /// <summary>In the place of events that were too many: the members of an object.</summary>
    public static void WriteLeftOut(Utf8JsonWriter writer, long count, DateTimeOffset at)
    {
        writer.WriteString("event", "left-out");
        writer.WriteString("at", at.ToString(TimeFormat, CultureInfo.InvariantCulture));
        writer.WriteString("text", $"{count} event(s) before this are not shown: they came too fast");
        writer.WriteNumber("count", count);
    }

    /// <summary>One object on one line.</summary>
    public static string JsonLine(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, JsonOptions))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static string Line(FlowTold told)
    {
        FlowEvent e = told.Event;
        string took = e.Took is { } span ? $" [{Duration.Format(TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds, 1)))}]" : "";
        string leg = e.Leg is { } which ? which.Name() + " " : "";
        string flow = e.Flow == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"flow {e.Flow} ");
        return $"{told.Time:HH:mm:ss.fff} {Name(told.Gateway)}{flow}{leg}{told.Kind}: {Texts.Printable(e.Text)}{took}";
    }

    private static void Write(Utf8JsonWriter writer, ToldEvent told)
    {
        writer.WriteString("event", told.Kind);
        switch (told)
        {
            case FlowTold(var e, var gateway):
                writer.WriteString("at", Time(told));
                if (gateway is not null) writer.WriteString("gateway", gateway);
                writer.WriteNumber("flow", e.Flow);
                if (e.Leg is { } leg) writer.WriteString("leg", leg.Name());
                writer.WriteString("text", e.Text);
                if (e.Took is { } took) writer.WriteNumber("tookMs", Math.Round(took.TotalMilliseconds, 3));
                break;
            case FactTold(_, var name, var text):
                writer.WriteString("at", Time(told));
                if (name is not null) writer.WriteString("name", name);
                writer.WriteString("text", text);
                break;
            case ListeningTold l:
                writer.WriteString("at", Time(l));
                if (l.Gateway is not null) writer.WriteString("gateway", l.Gateway);
                writer.WriteString("listen", l.Listen);
                writer.WriteString("to", l.To);
                writer.WriteString("protocol", l.Protocol);
                writer.WriteString("tcp", l.Tcp.ToString());
                writer.WriteString("probe", l.Probe.ToString());
                break;
        }
    }

    private static string Time(ToldEvent e) => e.Time.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string Name(string? name) => name is null ? "" : Texts.Printable(name) + " ";

    private static string NameOf(FlowEventKind kind)
    {
        var name = new StringBuilder();
        foreach (char c in kind.ToString())
        {
            if (char.IsUpper(c) && name.Length > 0) name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }

        return name.ToString();
    }
}
