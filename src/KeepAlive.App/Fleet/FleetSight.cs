using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>A fleet as it stands in etcd at a moment: what <c>keepalive fleet</c> and the page show.</summary>
/// <param name="Fleet">Its name.</param>
/// <param name="Policies">In force, and on its way.</param>
/// <param name="Machines">All that are there, by name.</param>
/// <param name="Faults">What could not be read, as it is not ours; the rest is told all the same.</param>
internal sealed record FleetSight(string Fleet, PolicyState Policies, IReadOnlyList<FleetMachine> Machines, IReadOnlyList<string> Faults)
{
    /// <summary>The newest of the history; empty where it was not asked for.</summary>
    public IReadOnlyList<PolicyRecord> History { get; init; } = [];

    /// <summary>Flows that need a look, of all machines, the worst first: of each machine those that its digest has room for.</summary>
    public IReadOnlyList<MachineFlow> Worst => [.. from machine in Machines from flow in machine.Digest?.Worst ?? [] orderby flow.State == "dead" descending, flow.Unanswered descending, flow.SilentSeconds descending select new MachineFlow(machine.Name, flow)];

    /// <summary>Reads it.</summary>
    /// <param name="store">Where it stands.</param>
    /// <param name="history">How many lines of the history; 0 for none.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public static async Task<FleetSight> ReadAsync(FleetStore store, int history, CancellationToken cancel)
    {
        var faults = new List<string>();
        PolicyState policies = await TryAsync(() => store.PoliciesAsync(cancel), new PolicyState(null, null, 0), faults).ConfigureAwait(false);
        IReadOnlyList<FleetMachine> machines = await store.MachinesAsync(cancel).ConfigureAwait(false);
        IReadOnlyList<PolicyRecord> records = history == 0 ? [] : await TryAsync(() => store.HistoryAsync(history, cancel), [], faults).ConfigureAwait(false);
        return new FleetSight(store.Keys.Fleet, policies, machines, faults) { History = records };
    }

    /// <summary>How many machines have a policy.</summary>
    public int Having(long policy) => Machines.Count(m => m.Digest?.Policy == policy);

    /// <summary>How many flows are in a state, on all machines.</summary>
    public long Flows(string state) => Machines.Sum(m => (long)(m.Digest?.Flows.GetValueOrDefault(state) ?? 0));

    private static async Task<T> TryAsync<T>(Func<Task<T>> read, T nothing, List<string> faults)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (FleetException e)
        {
            faults.Add(Texts.Printable(e.Message));
            return nothing;
        }
    }
}

/// <summary>A flow that needs a look, and where it is.</summary>
internal sealed record MachineFlow(string Machine, WorstFlow Flow);
