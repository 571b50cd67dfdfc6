using KeepAlive.Core;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Connections;

/// <summary>What was changed, for people: a line a socket, before and after.</summary>
internal static class ChangeTable
{
    public static void Write(TextWriter output, IReadOnlyList<ConnectionChange> changes, bool dry)
    {
        foreach (ConnectionChange change in changes)
            output.WriteLine(Line(change, dry));
        output.Flush();
    }

    public static string Line(ConnectionChange change, bool dry)
    {
        Connection c = change.Connection;
        string peer = c.Socket.State == TcpState.Listening ? "listening" : $"{c.Socket.Remote}";
        return $"{ConnectionTable.Owner(c.Owners)}  {c.Socket.Local}  {peer}  {Text(c.Options)} -> {Outcome(change, dry)}";
    }

    public static string Summary(IReadOnlyList<ConnectionChange> changes, bool dry)
    {
        string[] parts =
        [
            Part(ChangeKind.Changed, dry ? "would be changed" : "changed"), Part(ChangeKind.AlreadySo, "had it already"),
            Part(ChangeKind.Vanished, "vanished meanwhile"), Part(ChangeKind.Refused, "could not be changed"),
        ];
        return string.Join(", ", parts.Where(p => p.Length > 0));

        string Part(ChangeKind kind, string what) => changes.Count(c => c.Kind == kind) is var n and > 0 ? $"{n} {what}" : "";
    }

    private static string Outcome(ConnectionChange change, bool dry) => change.Kind switch
    {
        ChangeKind.Vanished => "vanished",
        ChangeKind.Refused => $"not changed: {change.Why}",
        ChangeKind.AlreadySo => "the same",
        _ => dry ? "would be changed" : Text(change.After),
    };

    private static string Text(SocketOptions? options) => options is not { } o ? "unknown"
        : ConnectionVerdict.Spec(o) + (o.UserTimeout > 0 ? $" (user timeout {Duration.Format(TimeSpan.FromMilliseconds(o.UserTimeout))})" : "");
}
