using System.Globalization;
using System.Net;
using System.Text.Json;
using KeepAlive.App.Connections;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Remote;

/// <summary>A listing as another machine tells it in JSON, back as a listing.</summary>
internal static class RemoteConnections
{
    /// <exception cref="FormatException">It is none.</exception>
    public static (Judged[] Rows, ConnectionList List) Read(JsonElement answer)
    {
        try
        {
            Judged[] rows = [.. answer.GetProperty("connections").EnumerateArray().Select(Row)];
            OptionSource source = answer.GetProperty("source").GetString() == ConnectionTable.Source(OptionSource.BpfIterator) ? OptionSource.BpfIterator : OptionSource.Pidfd;
            string[] notes = [.. answer.GetProperty("notes").EnumerateArray().Select(note => Texts.Printable(note.GetString() ?? ""))];
            return (rows, new ConnectionList([.. rows.Select(r => r.Connection)], source, notes));
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException($"that is no listing of keepalive: {e.Message}", e);
        }
    }

    private static Judged Row(JsonElement row)
    {
        bool hasInfo = row.TryGetProperty("sinceAckMs", out _);
        var socket = new SocketRow
        {
            State = StateNames.Read(Text(row, "state"), out TcpStates states, out _) ? Enum.GetValues<TcpState>().FirstOrDefault(states.Contains) : TcpState.Unknown,
            Timer = Enum.GetValues<TcpTimer>().FirstOrDefault(timer => ConnectionTable.TimerName(timer) == Text(row, "timer")),
            TimerLeft = Time(row, "timerMs"),
            Unanswered = row.GetProperty("unanswered").GetInt32(),
            Local = IPEndPoint.Parse(Text(row, "local")),
            Remote = IPEndPoint.Parse(Text(row, "remote")),
            Cookie = ulong.Parse(Text(row, "id"), NumberStyles.None, CultureInfo.InvariantCulture),
            HasInfo = hasInfo,
            SinceSent = Time(row, "sinceSentMs"),
            SinceReceived = Time(row, "sinceReceivedMs"),
            SinceAck = Time(row, "sinceAckMs"),
            Unacknowledged = hasInfo ? row.GetProperty("unacknowledged").GetUInt32() : 0,
        };
        SocketOptions? options = row.TryGetProperty("keepalive", out JsonElement on)
            ? new SocketOptions(on.GetBoolean() ? 1 : 0, Number(row, "idleSeconds"), Number(row, "intervalSeconds"), Number(row, "count"), Number(row, "userTimeoutMs")) : null;
        SocketOwner[] owners = [.. row.GetProperty("owners").EnumerateArray().Select(o => new SocketOwner(Number(o, "pid"), Texts.Printable(Text(o, "command")), -1))];
        VerdictKind kind = Enum.TryParse(Text(row, "verdict"), ignoreCase: true, out VerdictKind known) ? known : VerdictKind.Unknown;
        var place = new NetworkNamespace(row.GetProperty("netns").GetUInt64(), 0, false);
        return new Judged(new Connection(socket, options, owners, place), new ConnectionVerdict(kind, Texts.Printable(Text(row, "text"))));
    }

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString() ?? "";

    private static int Number(JsonElement row, string name) => row.GetProperty(name).GetInt32();

    private static TimeSpan Time(JsonElement row, string name) => row.TryGetProperty(name, out JsonElement value) ? TimeSpan.FromMilliseconds(value.GetInt64()) : default;
}
