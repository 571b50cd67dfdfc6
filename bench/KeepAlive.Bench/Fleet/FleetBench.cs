using System.Diagnostics;
using System.Globalization;
using KeepAlive.Fleet;

namespace KeepAlive.Bench.Fleet;

/// <summary>What a fleet asks of its etcd: simulated for any size, and measured with real members and a real etcd.</summary>
internal static class FleetBench
{
    // What two cores can do beside an etcd. Two watches are a machine's, and one to three connections for calls, as they meet.
    private const int RealMachines = 1000;
    private const int ConnectionsEach = 5;

    // Where fewer calls than this are made, chance is more than what is compared.
    private const double ComparedMin = 5;

    private static readonly int[] Sizes = [100, 10_000, 1_000_000];

    private static readonly FleetCall[] Calls = [FleetCall.Range, FleetCall.Txn, FleetCall.Grant, FleetCall.Renew, FleetCall.Watch, FleetCall.Failed];

    private static readonly FleetScenario Real = new(RealMachines) { StartOver = 20, Quiet = 30, AfterPolicy = 10, Observe = 20, Away = 10, AfterAway = 30, RestartsPerDay = 0 };

    /// <summary>The simulation, for the sizes that docs/fleet-scale.md tells of.</summary>
    public static int Simulate()
    {
        Console.WriteLine($"{Machine.Describe()}; a digest of {FleetDigest.Bytes} bytes that changes each {FleetDigest.ChangesEvery.TotalSeconds:0} s, a policy of 2,000 bytes, a restart a week\n");
        Console.WriteLine("| machines | leases, keys | watches | connections, at most | live data | life of a lease | renewed each | digest each | spread | a policy of 2 KB, 128 KiB to all |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (int machines in Sizes) Console.WriteLine(Standing(machines));
        foreach (int machines in Sizes)
        {
            var scenario = new FleetScenario(machines);
            long began = Stopwatch.GetTimestamp();
            var simulation = FleetSimulation.Run(scenario);
            Console.WriteLine();
            Print(Text($"{machines:N0} machines"), scenario, simulation.Tally, [.. Calls, FleetCall.Walked, FleetCall.BytesOut]);
            Console.Error.WriteLine(Text($"{machines:N0}: {scenario.End:N0} simulated seconds in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"));
        }

        return 0;
    }

    /// <summary>Real members, beside what the simulation says of as many.</summary>
    public static async Task<int> RealAsync(int etcds)
    {
        Console.WriteLine($"{Machine.Describe()}; {RealMachines:N0} members in one process, etcd 3.4.23, {etcds} member(s), on the same machine\n");
        var run = new FleetRun(Real, etcds);
        await run.RunAsync().ConfigureAwait(false);
        FleetTally simulated = FleetSimulation.Run(Real).Tally;
        Print("measured", Real, run.Tally, Calls);
        Console.WriteLine();
        Print("simulated", Real, simulated, Calls);
        Console.WriteLine();
        foreach (string figure in run.Figures) Console.WriteLine($"- {figure}");
        Console.WriteLine($"- calls, measured against simulated: {string.Join("; ", Real.Parts.Select(part => $"{part.Name} {Ratios(run.Tally, simulated, part.From, part.To)}"))}");
        return 0;
    }

    private static string Standing(int machines)
    {
        var pace = new FleetPace(machines);
        double Spelled(double bytes) => bytes * 4 / 3 * machines / 1e6;
        return Text($"| {machines:N0} | {machines:N0} | {2L * machines:N0} | {(long)ConnectionsEach * machines:N0} | {(double)FleetDigest.Bytes * machines / 1e6:0.0} MB | {pace.Life.TotalSeconds:N0} s | {pace.RenewEvery.TotalSeconds:N0} s | {pace.DigestEvery.TotalSeconds:N0} s | {pace.Spread.TotalSeconds:N2} s | {Spelled(2000):N1} MB, {Spelled(FleetJson.PolicyTextMax):N0} MB |");
    }

    private static string Ratios(FleetTally measured, FleetTally simulated, double from, double to)
    {
        string[] ratios = [.. Calls.Where(call => simulated.Mean(call, from, to) > ComparedMin).Select(call => Text($"{call} {measured.Sum(call, from, to) / (double)simulated.Sum(call, from, to):0.00}"))];
        return ratios.Length == 0 ? "-" : string.Join(", ", ratios);
    }

    private static void Print(string name, FleetScenario scenario, FleetTally tally, FleetCall[] calls)
    {
        Console.WriteLine($"| {name}: a second, mean (worst) | {string.Join(" | ", calls.Select(Name))} |\n| --- |{string.Concat(calls.Select(_ => " --- |"))}");
        foreach ((string part, double from, double to) in scenario.Parts)
            Console.WriteLine(Text($"| {part}, {to - from:N0} s | {string.Join(" | ", calls.Select(call => Figure(tally, call, from, to)))} |"));
    }

    private static string Name(FleetCall call) => call switch
    {
        FleetCall.Range => "reads",
        FleetCall.Txn => "transactions",
        FleetCall.Grant => "leases granted",
        FleetCall.Renew => "leases renewed",
        FleetCall.Watch => "watches begun",
        FleetCall.Failed => "attempts in vain",
        FleetCall.Walked => "keys gone over",
        _ => "MB answered",
    };

    private static string Figure(FleetTally tally, FleetCall call, double from, double to)
    {
        (double mean, double worst) = (tally.Mean(call, from, to), tally.Worst(call, from, to));
        if (worst == 0) return "-";
        return call == FleetCall.BytesOut ? Text($"{mean / 1e6:#,0.##} ({worst / 1e6:#,0.#})") : Text($"{mean:#,0.#} ({worst:N0})");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
