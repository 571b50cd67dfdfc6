using System.Net;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Processes;

namespace KeepAlive.App.Connections;

/// <summary>A connection with the verdict on it.</summary>
internal sealed record Judged(Connection Connection, ConnectionVerdict Verdict)
{
    /// <summary>The first of its owners; null for none.</summary>
    public SocketOwner? Owner { get; } = Connection.Owners.Count == 0 ? null : Connection.Owners[0];
}

/// <summary>What a listing is sorted by.</summary>
internal enum ListOrder
{
    /// <summary>The name of the first process, then the pid, then the ports.</summary>
    Owner,

    /// <summary>This end: address, then port.</summary>
    Local,

    /// <summary>The other end: address, then port.</summary>
    Peer,

    /// <summary>The longest without a sign of life first.</summary>
    Silent,

    /// <summary>The most unacknowledged segments first.</summary>
    Unacked,

    /// <summary>The worst first.</summary>
    Verdict,
}

/// <summary>Sorts listings. Ends by the socket's own cookie, so that two listings of the same sockets have one order.</summary>
internal static class ListOrders
{
    // Worst first. What is not named comes last.
    private static readonly VerdictKind[] Severity =
        [VerdictKind.Stuck, VerdictKind.Probing, VerdictKind.Unnoticed, VerdictKind.ArmedLate, VerdictKind.TooSlow, VerdictKind.Ignored, VerdictKind.Unknown, VerdictKind.Ok, VerdictKind.Listener];

    // As the enumeration's own, in its order.
    private static readonly string[] Names = ["owner", "local", "peer", "silent", "unacked", "verdict"];

    public static bool Read(string text, out ListOrder value, out string? fault)
    {
        int at = Array.IndexOf(Names, text);
        value = (ListOrder)Math.Max(0, at);
        fault = at >= 0 ? null : $"'{text}' is none of {string.Join(", ", Names)}";
        return at >= 0;
    }

    public static void Sort(Judged[] rows, ListOrder order) => Array.Sort(rows, order switch
    {
        ListOrder.Local => (a, b) => Then(Compare(a.Connection.Socket.Local, b.Connection.Socket.Local), a, b),
        ListOrder.Peer => (a, b) => Then(Compare(a.Connection.Socket.Remote, b.Connection.Socket.Remote), a, b),
        ListOrder.Silent => (a, b) => Then(b.Connection.Socket.Silence.CompareTo(a.Connection.Socket.Silence), a, b),
        ListOrder.Unacked => (a, b) => Then(b.Connection.Socket.Unacknowledged.CompareTo(a.Connection.Socket.Unacknowledged), a, b),
        ListOrder.Verdict => (a, b) => Then(Rank(a).CompareTo(Rank(b)), a, b),
        _ => (a, b) => Then(CompareOwners(a, b), a, b),
    });

    private static int Then(int difference, Judged a, Judged b) =>
        difference != 0 ? difference : a.Connection.Socket.Cookie.CompareTo(b.Connection.Socket.Cookie);

    // Sockets that nobody owns come last.
    private static int CompareOwners(Judged a, Judged b)
    {
        if (a.Owner is null || b.Owner is null) return (a.Owner is null).CompareTo(b.Owner is null);
        int difference = string.CompareOrdinal(a.Owner.Command, b.Owner.Command);
        if (difference == 0) difference = a.Owner.Pid.CompareTo(b.Owner.Pid);
        if (difference != 0) return difference;
        SocketRow left = a.Connection.Socket, right = b.Connection.Socket;
        difference = left.Local.Port.CompareTo(right.Local.Port);
        return difference != 0 ? difference : left.Remote.Port.CompareTo(right.Remote.Port);
    }

    private static int Compare(IPEndPoint a, IPEndPoint b)
    {
        Span<byte> left = stackalloc byte[16], right = stackalloc byte[16];
        _ = a.Address.TryWriteBytes(left, out int leftBytes);
        _ = b.Address.TryWriteBytes(right, out int rightBytes);
        int difference = leftBytes.CompareTo(rightBytes);
        if (difference == 0) difference = left[..leftBytes].SequenceCompareTo(right[..rightBytes]);
        return difference != 0 ? difference : a.Port.CompareTo(b.Port);
    }

    private static int Rank(Judged row) => Array.IndexOf(Severity, row.Verdict.Kind) is var at and >= 0 ? at : Severity.Length;
}
