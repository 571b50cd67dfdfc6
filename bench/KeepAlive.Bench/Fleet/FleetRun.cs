using System.Globalization;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Bench.Fleet;

/// <summary>A real fleet against a real etcd on this machine, going through a scenario.</summary>
internal sealed class FleetRun(FleetScenario scenario, int etcds)
{
    private readonly List<string> _figures = [];

    /// <summary>Calls, as the clients counted them.</summary>
    public FleetTally Tally { get; private set; } = new(1);

    /// <summary>What else was measured, a line each.</summary>
    public IReadOnlyList<string> Figures => _figures;

    public async Task RunAsync()
    {
        using var etcd = new EtcdProcess(etcds);
        etcd.Start();
        await using var fleet = new RealFleet(etcd.Endpoints, (int)scenario.End + 30);
        Tally = fleet.Tally;
        await AnswersAsync(fleet).ConfigureAwait(false);
        await fleet.StartAsync(scenario.Machines, TimeSpan.FromSeconds(scenario.StartOver)).ConfigureAwait(false);
        Log(fleet, "started");
        await UntilAsync(fleet, scenario.SettledAt).ConfigureAwait(false);
        await QuietAsync(fleet, etcd).ConfigureAwait(false);
        Log(fleet, "a policy is set");
        await PolicyAsync(fleet, null, scenario.CanaryAt, "a policy for all").ConfigureAwait(false);
        Log(fleet, "a canary begins");
        await PolicyAsync(fleet, new CanaryOptions(scenario.Canaries, TimeSpan.FromSeconds(scenario.Observe)), scenario.AwayAt, "a policy by canary").ConfigureAwait(false);
        Log(fleet, "etcd is killed");
        await AwayAsync(fleet, etcd).ConfigureAwait(false);
        Log(fleet, "over");
    }

    private async Task QuietAsync(RealFleet fleet, EtcdProcess etcd)
    {
        int descriptors = Directory.GetFiles("/proc/self/fd").Length;
        (double cpu, long revision) = (etcd.CpuSeconds, await RevisionAsync(fleet).ConfigureAwait(false));
        await UntilAsync(fleet, scenario.PolicyAt).ConfigureAwait(false);
        Say($"connections a machine: {(double)descriptors / scenario.Machines:0.0}; in the fleet: {fleet.Joined}");
        Say($"quiet: {(await RevisionAsync(fleet).ConfigureAwait(false) - revision) / scenario.Quiet:0.0} revisions/s, etcd {(etcd.CpuSeconds - cpu) / scenario.Quiet * 100:0} % of a core (all members), {etcd.ResidentMiB:0} MiB resident (the biggest), database {etcd.DatabaseMiB:0} MiB");
    }

    private async Task PolicyAsync(RealFleet fleet, CanaryOptions? canary, double until, string name)
    {
        double at = fleet.Now;
        PolicyRecord record = await fleet.Store.SetAsync(new string(' ', scenario.PolicyBytes), "bench@here", "", canary, CancellationToken.None).ConfigureAwait(false);
        await UntilAsync(fleet, until).ConfigureAwait(false);
        double[] applied = [.. fleet.Applied.GetValueOrDefault(record.Policy.Number)?.Order() ?? Enumerable.Empty<double>()];
        if (applied.Length == 0) Say($"{name}: nobody has it");
        else Say($"{name}: {applied.Length} have it, the first after {applied[0] - at:0.00} s, the median after {applied[applied.Length / 2] - at:0.00} s, the last after {applied[^1] - at:0.00} s");
    }

    private async Task AwayAsync(RealFleet fleet, EtcdProcess etcd)
    {
        etcd.Kill();
        await UntilAsync(fleet, scenario.BackAt).ConfigureAwait(false);
        etcd.Start();
        double back = fleet.Now;
        while (fleet.Joined < scenario.Machines && fleet.Now < scenario.End) await Task.Delay(100).ConfigureAwait(false);
        Say($"etcd back: {fleet.Joined} are in the fleet after {fleet.Now - back:0.0} s, etcd {etcd.CpuSeconds:0.0} CPU s by then");
        await UntilAsync(fleet, scenario.End).ConfigureAwait(false);
        Say($"events for people, of all machines: {string.Join(", ", fleet.Told.OrderBy(t => t.Key).Select(t => $"{t.Key} {t.Value}"))}");
        Say($"at the end: {await fleet.Store.MachineCountAsync(CancellationToken.None).ConfigureAwait(false)} stand in etcd, {etcd.ResidentMiB:0} MiB resident (the biggest), database {etcd.DatabaseMiB:0} MiB");
    }

    private static async Task<long> RevisionAsync(RealFleet fleet) => (await fleet.Etcd.ReadAsync(new EtcdQuery("/none"), CancellationToken.None).ConfigureAwait(false)).Revision;

    private static async Task AnswersAsync(RealFleet fleet)
    {
        while (true)
        {
            try
            {
                await RevisionAsync(fleet).ConfigureAwait(false);
                return;
            }
            catch (EtcdException) when (fleet.Now < 30)
            {
                await Task.Delay(200).ConfigureAwait(false);
            }
        }
    }

    private static async Task UntilAsync(RealFleet fleet, double at)
    {
        if (at > fleet.Now) await Task.Delay(TimeSpan.FromSeconds(at - fleet.Now)).ConfigureAwait(false);
    }

    private static void Log(RealFleet fleet, string what) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{fleet.Now,6:0} s  {what}, {fleet.Joined} in the fleet"));

    private void Say(FormattableString figure) => _figures.Add(figure.ToString(CultureInfo.InvariantCulture));
}
