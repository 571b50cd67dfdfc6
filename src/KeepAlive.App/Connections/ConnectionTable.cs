using System.Globalization;
using KeepAlive.Core;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Processes;

namespace KeepAlive.App.Connections;

/// <summary>The listing for people: a line a socket, and below it, on stderr, what could not be seen.</summary>
internal static class ConnectionTable
{
    private static readonly string[] Head = ["OWNER", "LOCAL", "PEER", "STATE", "KEEPALIVE", "USER-TIMEOUT", "TIMER", "SILENT", "VERDICT"];

    public static void Write(TextWriter output, TextWriter aside, IReadOnlyList<Connection> connections, ConnectionList list)
    {
        string[][] rows = [Head, .. connections.Select(Cells)];
        int[] widths = [.. Enumerable.Range(0, Head.Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length - 1; i++) output.Write(row[i].PadRight(widths[i] + 2));
            output.WriteLine(row[^1]);
        }

        output.Flush();
        int unnoticed = connections.Count(c => ConnectionVerdict.Of(c.Socket, c.Options).Kind == VerdictKind.Unnoticed);
        aside.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{connections.Count} sockets, {unnoticed} of which die unnoticed; real values by {Source(list.Source)}"));
        foreach (string note in list.Notes) aside.WriteLine(note);
    }

    public static string Source(OptionSource source) => source == OptionSource.BpfIterator ? "BPF iterator" : "pidfd, own processes only";

    private static string[] Cells(Connection c) =>
    [
        Owner(c.Owners), $"{c.Socket.Local}", c.Socket.State == TcpState.Listening ? "*" : $"{c.Socket.Remote}", State(c.Socket.State),
        c.Options is { } o ? ConnectionVerdict.Spec(o) : "unknown", UserTimeout(c), Timer(c.Socket), Silent(c.Socket),
        ConnectionVerdict.Of(c.Socket, c.Options).Text,
    ];

    // A process chooses its own name: control characters must not reach a terminal.
    public static string Owner(IReadOnlyList<SocketOwner> owners) => owners.Count == 0 ? "-" : string.Join(',', owners.Take(3).Select(o =>
        string.Create(CultureInfo.InvariantCulture, $"{string.Concat(o.Command.Select(ch => char.IsControl(ch) ? '?' : ch))}/{o.Pid}"))) + (owners.Count > 3 ? $",+{owners.Count - 3}" : "");

    public static string State(TcpState state) => state.ToString().ToLowerInvariant();

    private static string UserTimeout(Connection c) => c.Options is not { UserTimeout: >= 0 } o ? "unknown" : o.UserTimeout == 0 ? "-" : Duration.Format(TimeSpan.FromMilliseconds(o.UserTimeout));

    private static string Timer(SocketRow socket) => socket.Timer == TcpTimer.None ? "-"
        : $"{socket.Timer.ToString().ToLowerInvariant()} {Seconds(socket.TimerLeft)}{(socket.Unanswered > 0 ? $" ({socket.Unanswered} unanswered)" : "")}";

    // The last sign of life, whichever it was.
    private static string Silent(SocketRow socket) => !socket.HasInfo || socket.State == TcpState.Listening ? "-"
        : Seconds(socket.SinceReceived < socket.SinceAck ? socket.SinceReceived : socket.SinceAck);

    private static string Seconds(TimeSpan span) => Duration.Format(TimeSpan.FromSeconds(Math.Round(span.TotalSeconds)));
}
