using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Gateways;

/// <summary>
/// Flow events on stdout as they happen, one a line: for people, or as JSON. Written by a thread of its own, as whoever
/// reads may stall and flows must not: past <see cref="WaitingMax"/> events they are dropped and counted.
/// </summary>
internal sealed class EventPrinter : IDisposable
{
    private const int WaitingMax = 100_000;

    // Nobody reads faster, and thousands of events a second are written in tens of calls.
    private const int PauseMs = 50;

    /// <summary>So much is written at a time.</summary>
    public const int WriteChars = 16 * 1024;

    // Texts come from the wire: quotes and control characters are escaped, letters of any language are not.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] KindNames = [.. Enum.GetValues<FlowEventKind>().Select(NameOf)];

    private readonly TextWriter _output;
    private readonly bool _json;
    private readonly object _lock = new(); // a monitor: the writer waits on it
    private readonly Thread _writer;
    private List<object> _waiting = []; // events, and lines
    private bool _isWriterWaiting;
    private bool _isOver;
    private long _dropped;
    private readonly DateTimeOffset _origin = DateTimeOffset.Now - (MonotonicClock.Now - Instant.Zero);

    public EventPrinter(TextWriter output, bool json)
    {
        (_output, _json) = (output, json);
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "events" };
        _writer.Start();
    }

    public void Print(FlowEvent e) => Write(e);

    /// <summary>For the events of one gateway of several.</summary>
    public Action<FlowEvent> For(string gateway) => e => Write(new OfGateway(gateway, e));

    /// <summary>Something that is no flow's.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="name">To which gateway or policy; null for none.</param>
    /// <param name="text">In words.</param>
    public void Tell(string kind, string? name, string text)
    {
        DateTimeOffset now = At(MonotonicClock.Now);
        Write(!_json ? $"{now:HH:mm:ss.fff} {(name is null ? "" : Texts.Printable(name) + " ")}{kind}: {Texts.Printable(text)}" : JsonLine(writer =>
        {
            writer.WriteString("event", kind);
            writer.WriteString("at", now.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture));
            if (name is not null) writer.WriteString("name", name);
            writer.WriteString("text", text);
        }));
    }

    /// <summary>Writes what still waits, for a second at most.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            Monitor.Pulse(_lock);
        }

        _writer.Join(TimeSpan.FromSeconds(1));
    }

    /// <summary>A gateway is ready.</summary>
    public void PrintListening(string listen, string to, string protocol, TcpChoice tcp, KeepAliveSpec probe, string? gateway = null)
    {
        if (!_json)
        {
            Write($"{(gateway is null ? "" : Texts.Printable(gateway) + " ")}listening on {listen} for {to} ({protocol}); kernel keepalive {tcp.Describe()}"
                + (protocol == "tcp" ? "" : $"; {protocol} probes {(probe.Policy ?? (probe.IsOn ? KeepAlivePolicy.Default : null))?.Describe() ?? "off"}"));
            return;
        }

        Write(JsonLine(writer =>
        {
            writer.WriteString("event", "listening");
            if (gateway is not null) writer.WriteString("gateway", gateway);
            writer.WriteString("listen", listen);
            writer.WriteString("to", to);
            writer.WriteString("protocol", protocol);
            writer.WriteString("tcp", tcp.ToString());
            writer.WriteString("probe", probe.ToString());
        }));
    }

    /// <summary>The other end of a path is ready.</summary>
    public void PrintReflecting(string listen, string who) => Write(_json
        ? JsonLine(writer =>
        {
            writer.WriteString("event", "listening");
            writer.WriteString("listen", listen);
            writer.WriteString("access", who);
        })
        : $"listening on {listen}; {who}");

    /// <summary>The other end of a path is ready, in SSH.</summary>
    public void PrintReflecting(string listen, string fingerprint, string alive) => Write(_json
        ? JsonLine(writer =>
        {
            writer.WriteString("event", "listening");
            writer.WriteString("listen", listen);
            writer.WriteString("fingerprint", fingerprint);
            writer.WriteString("alive", alive);
        })
        : $"listening on {listen} (ssh); host key {fingerprint}; keepalive {alive}");

    private string Text(FlowEvent e, string? gateway)
    {
        string took = e.Took is { } span ? $" [{Duration.Format(TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds, 1)))}]" : "";
        string leg = e.Leg is { } which ? which.Name() + " " : "";
        string flow = e.Flow == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"flow {e.Flow} ");
        return $"{At(e.At):HH:mm:ss.fff} {(gateway is null ? "" : Texts.Printable(gateway) + " ")}{flow}{leg}{KindName(e.Kind)}: {Texts.Printable(e.Text)}{took}";
    }

    private string Json(FlowEvent e, string? gateway) => JsonLine(writer =>
    {
        writer.WriteString("event", KindName(e.Kind));
        writer.WriteString("at", At(e.At).ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture));
        if (gateway is not null) writer.WriteString("gateway", gateway);
        writer.WriteNumber("flow", e.Flow);
        if (e.Leg is { } leg) writer.WriteString("leg", leg.Name());
        writer.WriteString("text", e.Text);
        if (e.Took is { } took) writer.WriteNumber("tookMs", Math.Round(took.TotalMilliseconds, 3));
    });

    private static string JsonLine(Action<Utf8JsonWriter> write)
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

    private void Write(object what)
    {
        lock (_lock)
        {
            if (_waiting.Count >= WaitingMax) _dropped++;
            else _waiting.Add(what);
            if (_isWriterWaiting) Monitor.Pulse(_lock);
            _isWriterWaiting = false;
        }
    }

    private void WriteAll()
    {
        List<object> batch = [];
        var text = new StringBuilder();
        while (Take(ref batch, out long dropped))
        {
            try
            {
                foreach (object what in batch)
                {
                    text.Append(Line(what)).Append('\n');
                    if (text.Length >= WriteChars || what == batch[^1]) Flush(text);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nobody reads any more, stdout was never open (EBADF), or the disk is full for now; the flows matter more than their story.
                dropped += batch.Count;
            }

            text.Clear();
            batch.Clear();
            if (dropped > 0) CommandLine.Complain($"keepalive gateway: {dropped} event(s) were dropped: whoever reads them is too slow, or their disk was full");
            Pause();
        }
    }

    private object Line(object what) => what switch
    {
        FlowEvent e => _json ? Json(e, null) : Text(e, null),
        OfGateway(var gateway, var e) => _json ? Json(e, gateway) : Text(e, gateway),
        _ => what,
    };

    private void Flush(StringBuilder text)
    {
        _output.Write(text);
        _output.Flush();
        text.Clear();
    }

    private void Pause()
    {
        lock (_lock)
        {
            if (!_isOver) Monitor.Wait(_lock, PauseMs);
        }
    }

    // False when all is written and no more will come.
    private bool Take(ref List<object> batch, out long dropped)
    {
        lock (_lock)
        {
            if (_waiting.Count == 0 && !_isOver)
            {
                _isWriterWaiting = true;
                Monitor.Wait(_lock);
            }

            (batch, _waiting) = (_waiting, batch);
            (dropped, _dropped) = (_dropped, 0);
            return batch.Count > 0 || !_isOver;
        }
    }

    private DateTimeOffset At(Instant at) => _origin + (at - Instant.Zero);

    /// <summary><c>ProbeSent</c> as <c>probe-sent</c>.</summary>
    public static string KindName(FlowEventKind kind) => KindNames[(int)kind];

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

    private sealed record OfGateway(string Gateway, FlowEvent Event);
}
