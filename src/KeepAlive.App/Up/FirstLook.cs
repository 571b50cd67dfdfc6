using System.Net;
using KeepAlive.App.Connections;
using KeepAlive.App.Events;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Up;

/// <summary>What a newcomer is told: what is wrong with this machine's connections to others, the worst of them, and what to try next.</summary>
internal static class FirstLook
{
    private const int ShownMax = 5;

    // Worst first, and what it means to have it.
    private static readonly (VerdictKind Kind, string Text)[] Faults =
    [
        (VerdictKind.Stuck, "wait for data to be acknowledged"),
        (VerdictKind.Probing, "leave probes unanswered just now"),
        (VerdictKind.Unnoticed, "would not notice a dead peer"),
        (VerdictKind.ArmedLate, "probe later than they say"),
        (VerdictKind.TooSlow, "probe too late for a middlebox"),
        (VerdictKind.Ignored, "are forgotten in spite of keepalive"),
    ];

    public static void Tell(DaemonEvents events)
    {
        if (!OperatingSystem.IsLinux())
        {
            events.Tell("next", null, "other systems than Linux do not show the keepalive of other programs' connections: 'keepalive demo' shows what a middlebox does, 'keepalive gateway' what helps");
            return;
        }

        try
        {
            ConnectionList list = ConnectionReader.Read(new ConnectionScope { AllNamespaces = Environment.IsPrivilegedProcess });
            MeasuredPaths paths = MeasuredPaths.Read();
            Judged[] rows = [.. list.Connections.Select(paths.Judge)];
            Judged[] far = [.. rows.Where(row => !IsWithin(row.Connection.Socket.Remote.Address))];
            Judged[] bad = [.. far.Where(row => RankOf(row) < Faults.Length)];
            ListOrders.Sort(bad, ListOrder.Verdict);
            events.Tell("summary", null, Summary(far, rows.Length - far.Length));
            foreach (string note in list.Notes) events.Tell("notice", null, note);
            foreach (Judged row in bad.Take(ShownMax)) events.Tell("connection", null, $"{ConnectionTable.Owner(row.Connection.Owners)} {row.Connection.Socket.Local} to {row.Connection.Socket.Remote}: {row.Verdict.Text}");
            events.Tell("next", null, Next(bad));
        }
        catch (SyscallException e)
        {
            events.Tell("notice", null, e.Message);
        }
    }

    /// <summary>How many are how.</summary>
    public static string Summary(IReadOnlyList<Judged> far, int within)
    {
        string rest = within == 0 ? "" : $" ({within} more within it)";
        if (far.Count == 0) return $"no connection to another machine{rest}";
        string[] faults = [.. Faults.Select(f => (f.Text, Count: far.Count(row => row.Verdict.Kind == f.Kind))).Where(f => f.Count > 0).Select(f => $"{f.Count} {f.Text}")];
        int unknown = far.Count(row => row.Verdict.Kind == VerdictKind.Unknown), good = far.Count(row => row.Verdict.Kind == VerdictKind.Ok);
        if (good > 0) faults = [.. faults, $"{good} ok"];
        if (unknown > 0) faults = [.. faults, $"{unknown} of other users, whose keepalive root can read"];
        return $"{far.Count} connection(s) to other machines{rest}: {string.Join(", ", faults)}";
    }

    private static string Next(Judged[] bad)
    {
        if (bad.Length == 0) return "nothing to mend here: 'keepalive demo' shows what a middlebox does to a transfer, 'keepalive config example' what this daemon can do";
        Judged? settable = bad.FirstOrDefault(row => row.Verdict.Kind is VerdictKind.Unnoticed or VerdictKind.TooSlow or VerdictKind.ArmedLate && row.Owner is not null);
        string all = bad.Length > ShownMax ? $"; 'keepalive list --sort verdict' shows all {bad.Length}" : "";
        return settable?.Owner is { } owner ? $"'keepalive apply 60:4:15 --pid {owner.Pid}' gives {Texts.Printable(owner.Command)} keepalive as it runs, '--dry-run' shows it first{all}"
            : $"'keepalive explain 60:4:15' tells what a policy would do{all}";
    }

    private static int RankOf(Judged row) => Array.FindIndex(Faults, f => f.Kind == row.Verdict.Kind) is >= 0 and var rank ? rank : Faults.Length;

    private static bool IsWithin(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
