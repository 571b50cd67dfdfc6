using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Processes;

namespace KeepAlive.App.Connections;

/// <summary>The listing for people: a line a socket, and what is to be said about all of them.</summary>
internal static class ConnectionTable
{
    private static readonly string[] Head =
        ["OWNER", "LOCAL", "PEER", "STATE", "KEEPALIVE", "USER-TIMEOUT", "TIMER", "SENT-AGO", "RECEIVED-AGO", "ACKED-AGO", "UNACKED", "VERDICT"];

    // Four in each line, mostly the same few.
    private static readonly string?[] Spelled = new string?[2 * 3600 + 1];

    public static void Write(TextWriter output, IReadOnlyList<Judged> rows)
    {
        var cells = new string[rows.Count + 1][];
        cells[0] = Head;
        for (int i = 0; i < rows.Count; i++) cells[i + 1] = Cells(rows[i]);
        WriteColumns(output, cells);
    }

    /// <summary>Rows of cells, the head first, one below the other.</summary>
    public static void WriteColumns(TextWriter output, string[][] cells)
    {
        int[] widths = new int[cells[0].Length];
        foreach (string[] row in cells)
        {
            for (int i = 0; i < row.Length; i++) widths[i] = Math.Max(widths[i], row[i].Length);
        }

        string spaces = new(' ', widths.Max() + 2);
        foreach (string[] row in cells)
        {
            for (int i = 0; i < row.Length - 1; i++)
            {
                output.Write(row[i]);
                output.Write(spaces.AsSpan(0, widths[i] + 2 - row[i].Length));
            }

            output.Write(row[^1]);
            output.Write('\n');
        }
    }

    /// <summary>How many there are, where the values come from, and what could not be seen; a line each.</summary>
    public static IReadOnlyList<string> Foot(IReadOnlyList<Judged> rows, ConnectionList list)
    {
        int unnoticed = 0;
        foreach (Judged row in rows)
            if (row.Verdict.Kind == VerdictKind.Unnoticed) unnoticed++;
        return [string.Create(CultureInfo.InvariantCulture, $"{rows.Count} sockets, {unnoticed} of which die unnoticed; real values by {Source(list.Source)}"), .. list.Notes];
    }

    public static string Source(OptionSource source) => source == OptionSource.BpfIterator ? "BPF iterator" : "pidfd, own processes only";

    private static string[] Cells(Judged row)
    {
        Connection c = row.Connection;
        SocketRow socket = c.Socket;
        bool hasTimes = socket.HasInfo && socket.State != TcpState.Listening;
        return
        [
            Owner(c.Owners), Text(socket.Local), socket.State == TcpState.Listening ? "*" : Text(socket.Remote), StateNames.Of(socket.State),
            c.Options is { } o ? ConnectionVerdict.Spec(o) : Unread(row), UserTimeout(row), Timer(socket),
            hasTimes ? Seconds(socket.SinceSent) : "-", hasTimes ? Seconds(socket.SinceReceived) : "-", hasTimes ? Seconds(socket.SinceAck) : "-",
            hasTimes ? socket.Unacknowledged.ToString(CultureInfo.InvariantCulture) : "-", row.Verdict.Text,
        ];
    }

    public static string Owner(IReadOnlyList<SocketOwner> owners) => owners.Count switch
    {
        0 => "-",
        1 => Owner(owners[0]),
        _ => string.Join(',', owners.Take(3).Select(Owner)) + (owners.Count > 3 ? $",+{owners.Count - 3}" : ""),
    };

    private static string Owner(SocketOwner owner) => string.Create(CultureInfo.InvariantCulture, $"{Texts.Printable(owner.Command)}/{owner.Pid}");

    // As IPEndPoint writes it. For IPv4 by hand: tens of thousands are written before the runtime compiles its own way well.
    private static string Text(IPEndPoint end)
    {
        Span<byte> address = stackalloc byte[4];
        return end.AddressFamily == AddressFamily.InterNetwork && end.Address.TryWriteBytes(address, out _)
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)address[0]}.{(int)address[1]}.{(int)address[2]}.{(int)address[3]}:{end.Port}")
            : end.ToString();
    }

    // A socket that is gone but for a memory of it has no options; what could not be read is another matter.
    private static string Unread(Judged row) => row.Verdict.Kind == VerdictKind.Passing ? "-" : "unknown";

    private static string UserTimeout(Judged row) => row.Connection.Options is not { UserTimeout: >= 0 } o ? Unread(row)
        : o.UserTimeout == 0 ? "-" : Duration.Format(TimeSpan.FromMilliseconds(o.UserTimeout));

    private static string Timer(SocketRow socket) => socket.Timer == TcpTimer.None ? "-"
        : $"{TimerName(socket.Timer)} {Seconds(socket.TimerLeft)}{(socket.Unanswered > 0 ? $" ({socket.Unanswered} unanswered)" : "")}";

    public static string TimerName(TcpTimer timer) => timer switch
    {
        TcpTimer.None => "none",
        TcpTimer.Retransmit => "retransmit",
        TcpTimer.KeepAlive => "keepalive",
        TcpTimer.TimeWait => "timewait",
        TcpTimer.Persist => "persist",
        _ => "delayedack",
    };

    private static string Seconds(TimeSpan span)
    {
        long seconds = (span.Ticks + (TimeSpan.TicksPerSecond / 2)) / TimeSpan.TicksPerSecond;
        if ((ulong)seconds >= (ulong)Spelled.Length) return Duration.Format(TimeSpan.FromSeconds(seconds));
        return Spelled[seconds] ??= Duration.Format(TimeSpan.FromSeconds(seconds));
    }
}
