using System.CommandLine;
using KeepAlive.App.Connections;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary><c>keepalive fleet</c>: many machines, one policy.</summary>
internal static class FleetCommand
{
    private static readonly Option<FlowVerdict> Verdict = CommandLine.Option<FlowVerdict>("--verdict", "dying, which are probing and dead; or one of the two", VerdictText, "dying");
    private static readonly Option<string?> Machine = CommandLine.Option<string?>("--machine", "Of this machine alone", MachineText);

    /// <summary>For scripts, of each of the commands.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var list = new Command("list", "The machines that are there: their flows, deaths, and which policy they have.") { Json };
        list.SetAction((parsed, cancel) => RunAsync(parsed, store => ListAsync(parsed, store, cancel)));
        var flows = new Command("flows", "The flows that need a look, of all machines, the worst first.") { Verdict, Machine, Json };
        flows.SetAction((parsed, cancel) => RunAsync(parsed, store => FlowsAsync(parsed, store, cancel)));
        var command = new Command("fleet", "Many machines, one policy, on your own etcd: sets it, tells who has it, and whose flows are dying.") { PolicyCommand.Create(), list, flows };
        foreach (Option option in FleetArguments.All)
        {
            option.Recursive = true; // it may stand before the command's last word or behind it
            command.Options.Add(option);
        }

        return command;
    }

    /// <summary>Does it with the fleet that is named, and says in one line why it could not.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Func<FleetStore, Task<int>> act)
    {
        FleetOptions? options = FleetArguments.Read(parsed, out string? fault);
        if (options is null) return Complain(fault ?? $"which one? Give its etcd: --fleet https://HOST:2379, or {FleetArguments.EndpointsVariable}", CommandLine.Misused);
        using var etcd = new EtcdClient(options.Etcd);
        try
        {
            return await act(new FleetStore(etcd, options.Keys, TimeProvider.System)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EtcdException or FleetException)
        {
            return Complain(e.Message);
        }
    }

    /// <summary>A line of what is wrong.</summary>
    public static int Complain(string fault, int code = CommandLine.Failed)
    {
        CommandLine.Complain($"keepalive fleet: {Texts.Printable(fault)}");
        return code;
    }

    private static async Task<int> ListAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        FleetSight sight = await FleetSight.ReadAsync(store, 0, cancel).ConfigureAwait(false);
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(Json))
        {
            output.Write(JsonText.Of(writer =>
            {
                writer.WriteString("fleet", sight.Fleet);
                FleetDocument.WritePolicy(writer, "policy", sight.Policies.Current, withText: false);
                FleetDocument.WriteRollout(writer, sight.Policies.Rollout, sight);
                FleetDocument.WriteMachines(writer, sight);
            }));
        }
        else
        {
            foreach (string line in FleetText.Summary(sight)) output.WriteLine(line);
            if (sight.Machines.Count > 0) ConnectionTable.WriteColumns(output, FleetText.Machines(sight.Machines));
        }

        return Told(output, sight);
    }

    private static async Task<int> FlowsAsync(ParseResult parsed, FleetStore store, CancellationToken cancel)
    {
        FleetSight sight = await FleetSight.ReadAsync(store, 0, cancel).ConfigureAwait(false);
        if (parsed.GetValue(Machine) is { } name)
        {
            sight = sight with { Machines = [.. sight.Machines.Where(m => m.Name == name)] };
            if (sight.Machines.Count == 0) return Complain($"there is no machine '{name}' in the fleet '{sight.Fleet}' now: 'keepalive fleet list' shows those that are there");
        }

        FlowVerdict verdict = parsed.GetValue(Verdict);
        string[] states = verdict == FlowVerdict.Dying ? ["dead", "probing"] : [verdict == FlowVerdict.Dead ? "dead" : "probing"];
        MachineFlow[] rows = [.. sight.Worst.Where(row => states.Contains(row.Flow.State))];
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(Json))
        {
            output.Write(JsonText.Of(writer =>
            {
                writer.WriteString("fleet", sight.Fleet);
                FleetDocument.WriteFlows(writer, sight, rows);
            }));
            return Told(output, sight);
        }

        output.WriteLine($"{FleetText.Count(sight.Machines.Count, "machine")}: {string.Join(", ", states.Select(state => $"{FleetText.Count(sight.Flows(state), "flow")} {(state == "dead" ? "died in the last minute" : "probing")}"))}");
        if (rows.Length > 0) ConnectionTable.WriteColumns(output, FleetText.Flows(rows));
        long more = states.Sum(sight.Flows) - rows.Length;
        int code = Told(output, sight);
        if (more > 0) CommandLine.Complain($"{FleetText.Count(more, "flow")} more: a machine tells of its {MachineDigest.WorstMax} worst; its own page shows all, and 'keepalive flows' there");
        return code;
    }

    // What could not be read comes after what could.
    private static int Told(TextWriter output, FleetSight sight)
    {
        output.Flush();
        foreach (string fault in sight.Faults) Complain(fault);
        return sight.Faults.Count == 0 ? CommandLine.Done : CommandLine.Failed;
    }

    private static bool VerdictText(string text, out FlowVerdict value, out string? fault)
    {
        bool good = Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0]);
        fault = good ? null : $"'{Texts.Printable(text)}' is none of dying, probing and dead";
        return good;
    }

    private static bool MachineText(string text, out string? value, out string? fault)
    {
        bool good = FleetKeys.IsName(text);
        value = good ? text : null;
        fault = good ? null : $"'{Texts.Printable(text)}' is no machine's name: 'keepalive fleet list' shows them";
        return good;
    }

    /// <summary>Which flows are asked for.</summary>
    private enum FlowVerdict
    {
        Dying,
        Probing,
        Dead,
    }
}
