using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Connections;

/// <summary>The listing for machines. Names and meanings stay; new ones may come.</summary>
internal static class ConnectionJson
{
    public static string Of(IReadOnlyList<Judged> rows, ConnectionList list, bool indented)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = indented }))
        {
            writer.WriteStartObject();
            WriteSource(writer, list);
            writer.WriteStartArray("connections");
            foreach (Judged row in rows) Write(writer, row);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Two members: where the values came from, and what could not be seen; none where nothing was read.</summary>
    public static void WriteSource(Utf8JsonWriter writer, ConnectionList? list)
    {
        if (list is null) return;
        writer.WriteString("source", ConnectionTable.Source(list.Source));
        writer.WriteStartArray("notes");
        foreach (string note in list.Notes) writer.WriteStringValue(note);
        writer.WriteEndArray();
    }

    /// <summary>One of them: an object.</summary>
    public static void Write(Utf8JsonWriter writer, Judged row)
    {
        (Connection c, ConnectionVerdict verdict) = row;
        SocketRow socket = c.Socket;
        writer.WriteStartObject();
        writer.WriteString("id", Id(socket.Cookie)); // more digits than many readers' numbers have
        writer.WriteStartArray("owners");
        foreach (var owner in c.Owners)
        {
            writer.WriteStartObject();
            writer.WriteNumber("pid", owner.Pid);
            writer.WriteString("command", owner.Command);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("local", $"{socket.Local}");
        writer.WriteString("remote", $"{socket.Remote}");
        writer.WriteString("state", StateNames.Of(socket.State));
        writer.WriteNumber("netns", c.Namespace.Inode);
        WriteOptions(writer, c.Options);
        writer.WriteString("timer", ConnectionTable.TimerName(socket.Timer));
        if (socket.Timer != TcpTimer.None) writer.WriteNumber("timerMs", (long)socket.TimerLeft.TotalMilliseconds);
        writer.WriteNumber("unanswered", socket.Unanswered);
        if (socket.HasInfo)
        {
            writer.WriteNumber("sinceSentMs", (long)socket.SinceSent.TotalMilliseconds);
            writer.WriteNumber("sinceReceivedMs", (long)socket.SinceReceived.TotalMilliseconds);
            writer.WriteNumber("sinceAckMs", (long)socket.SinceAck.TotalMilliseconds);
            writer.WriteNumber("unacknowledged", socket.Unacknowledged);
        }

        writer.WriteString("verdict", verdict.Kind.ToString().ToLowerInvariant());
        writer.WriteString("text", verdict.Text);
        writer.WriteEndObject();
    }

    /// <summary>A socket's cookie, by which it is named to others.</summary>
    public static string Id(ulong cookie) => cookie.ToString(CultureInfo.InvariantCulture);

    /// <summary>Members of an object. What could not be read is left out, which is not the same as off.</summary>
    public static void WriteOptions(Utf8JsonWriter writer, SocketOptions? options)
    {
        if (options is not { KeepAlive: >= 0 } o) return;
        writer.WriteBoolean("keepalive", o.KeepAlive != 0);
        writer.WriteNumber("idleSeconds", o.Idle);
        writer.WriteNumber("count", o.Count);
        writer.WriteNumber("intervalSeconds", o.Interval);
        writer.WriteNumber("userTimeoutMs", o.UserTimeout);
    }
}
