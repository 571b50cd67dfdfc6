using System.Globalization;
using KeepAlive.Core;
using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary>What is said of a fleet, for people. Whatever came from etcd is cut and made printable: anybody may have written it.</summary>
internal static class FleetText
{
    private static readonly string[] States = ["opening", "alive", "probing", "dead"];
    private static readonly string[] MachineHead = ["MACHINE", "UP SINCE", "VERSION", "GATEWAYS", "FLOWS", "DEATHS", "POLICY"];
    private static readonly string[] FlowHead = ["MACHINE", "GATEWAY", "STATE", "SILENT", "CLIENT", "SERVER"];
    private static readonly string[] HistoryHead = ["POLICY", "SET AT", "BY", "OUTCOME", "COMMENT", "WHY"];

    // Of a cell: a table of longer ones is no table.
    private const int CellMax = 160;
    private const int NamedMax = 5;

    /// <summary>Which policy, whose, since when and why.</summary>
    public static string Policy(FleetPolicy policy) =>
        string.Create(CultureInfo.InvariantCulture, $"policy {policy.Number}, set by {Cell(policy.By)} at {Time(policy.At)}{(policy.Comment.Length > 0 ? $": {Cell(policy.Comment)}" : "")}");

    /// <summary>A policy on its way.</summary>
    public static string Rollout(Rollout rollout) =>
        string.Create(CultureInfo.InvariantCulture, $"policy {rollout.Policy.Number} of {Cell(rollout.Policy.By)} is on its way: {rollout.Canaries} of {rollout.Machines} machines first, watched for {Span(rollout.Observe)}");

    /// <summary>The lines above a list of machines: how many there are, what they have, and who does not.</summary>
    public static IEnumerable<string> Summary(FleetSight sight)
    {
        string machines = Count(sight.Machines.Count, "machine");
        yield return sight.Policies.Current is { } current
            ? string.Create(CultureInfo.InvariantCulture, $"fleet '{sight.Fleet}': {machines}, {sight.Having(current.Number)} with {Policy(current)}")
            : $"fleet '{sight.Fleet}': {machines}{(sight.Faults.Count > 0 ? "" : "; no policy is in force")}";
        if (sight.Policies.Rollout is { } rollout)
            yield return string.Create(CultureInfo.InvariantCulture, $"{Rollout(rollout)}; {sight.Having(rollout.Policy.Number)} have it");
        string[] refusing = [.. sight.Machines.Where(m => m.Digest?.Refused is not null).Select(m => Cell(m.Name))];
        if (refusing.Length > 0) yield return $"{Count(refusing.Length, "machine")} with a policy refused: {Named(refusing)}";
        string[] unread = [.. sight.Machines.Where(m => m.Digest is null).Select(m => Cell(m.Name))];
        if (unread.Length > 0) yield return $"{Count(unread.Length, "machine")} of whom nothing can be read: {Named(unread)}";
    }

    /// <summary>A line a machine.</summary>
    public static string[][] Machines(IEnumerable<FleetMachine> machines) => [MachineHead, .. machines.Select(MachineCells)];

    /// <summary>A line a flow.</summary>
    public static string[][] Flows(IEnumerable<MachineFlow> flows) => [FlowHead, .. flows.Select(FlowCells)];

    /// <summary>A line a policy.</summary>
    public static string[][] History(IEnumerable<PolicyRecord> records) => [HistoryHead, .. records.Select(HistoryCells)];

    /// <summary>What became of a policy.</summary>
    public static string Outcome(PolicyOutcome outcome) => outcome switch
    {
        PolicyOutcome.Set => "set for all",
        PolicyOutcome.Canary => "on its way",
        PolicyOutcome.Through => "through to all",
        PolicyOutcome.Unreadable => "unreadable",
        _ => "rolled back",
    };

    /// <summary><c>10m</c>, not <c>10m0s</c>.</summary>
    public static string Span(TimeSpan span)
    {
        string text = Duration.Format(span);
        while (text.Length > 3 && text[^2] == '0' && char.IsAsciiLetter(text[^3])) text = text[..^2];
        return text;
    }

    /// <summary>Somebody's text, for a line of a terminal.</summary>
    public static string Cell(string text) => Texts.Printable(text.Length > CellMax ? text[..CellMax] + "..." : text);

    /// <summary>In UTC: machines are anywhere.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>1 machine</c>, <c>2 machines</c>.</summary>
    public static string Count(long n, string noun) => string.Create(CultureInfo.InvariantCulture, $"{n} {noun}{(n == 1 ? "" : "s")}");

    private static string[] MachineCells(FleetMachine machine)
    {
        if (machine.Digest is not { } digest) return [Cell(machine.Name), "-", "-", "-", "-", "-", $"unknown: {Cell(machine.Fault ?? "")}"];
        string policy = digest.Policy == 0 ? "none" : digest.Policy.ToString(CultureInfo.InvariantCulture);
        if (digest.Refused is { } refused) policy += string.Create(CultureInfo.InvariantCulture, $", refused {refused.Policy}: {Cell(refused.Why)}");
        return [Cell(machine.Name), Time(digest.Started), Cell(digest.Version.Split('+')[0]), Number(digest.Gateways), FlowsByState(digest.Flows), Number(digest.Deaths), policy];
    }

    private static string FlowsByState(IReadOnlyDictionary<string, int> flows)
    {
        string[] parts = [.. from state in States where flows.GetValueOrDefault(state) > 0 select string.Create(CultureInfo.InvariantCulture, $"{flows[state]} {state}")];
        return parts.Length == 0 ? "0" : string.Join(", ", parts);
    }

    private static string[] FlowCells(MachineFlow row)
    {
        WorstFlow flow = row.Flow;
        bool isDead = flow.State == "dead";
        string state = Cell(flow.State) + (isDead || flow.Unanswered == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {flow.Unanswered} unanswered"));
        return [Cell(row.Machine), Cell(flow.Gateway), state, isDead ? "-" : Span(TimeSpan.FromSeconds(Math.Floor(flow.SilentSeconds))), Cell(flow.Client), Cell(flow.Server)];
    }

    private static string[] HistoryCells(PolicyRecord record) =>
        [Number(record.Policy.Number), Time(record.Policy.At), Cell(record.Policy.By), Outcome(record.Outcome), OrDash(record.Policy.Comment), OrDash(record.Why)];

    private static string Named(string[] names) => string.Join(", ", names.Take(NamedMax)) + (names.Length > NamedMax ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - NamedMax} more") : "");

    private static string OrDash(string text) => text.Length == 0 ? "-" : Cell(text);

    private static string Number(long n) => n.ToString(CultureInfo.InvariantCulture);
}
