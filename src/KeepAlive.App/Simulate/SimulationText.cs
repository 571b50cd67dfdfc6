using System.Globalization;
using System.Text;
using KeepAlive.App.Explain;
using KeepAlive.Core;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.App.Simulate;

/// <summary>What came out of a simulation, for people: one policy in lines, several as a table.</summary>
internal static class SimulationText
{
    public static string Of(Scenario scenario, SimulatedRun run)
    {
        var text = new StringBuilder($"{run.Policy}: {run.Policy.Describe()}\n{Describe(scenario)}\n\n");
        foreach ((string name, string value) in Facts(run)) text.Append("  ").Append(name.PadRight(Explanation.NameWidth)).Append(value).Append('\n');
        return text.ToString();
    }

    public static string Compare(Scenario scenario, IReadOnlyList<SimulatedRun> runs)
    {
        string[][] rows =
        [
            ["policy", "survived", "expired", "false deaths", "given up asleep", "found p50", "p99", "max", "probes a flow and day", "bytes", "peak/s", "without jitter"],
            .. runs.Select(Row),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder(Describe(scenario) + "\n\n");
        foreach (string[] row in rows)
            text.AppendJoin("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).Append('\n');
        return text.ToString();
    }

    /// <summary>The world in a line.</summary>
    public static string Describe(Scenario scenario)
    {
        SimulatedWorld world = scenario.World;
        string behind = scenario.Limit is not { } limit ? "no middlebox" : limit.Middlebox is null ? $"behind a middlebox that forgets after {limit.Text}" : $"behind {limit.Text}";
        string recurring(string what, Recurrence? recurrence) => recurrence is null ? "" : $", {what} of {Duration.Format(recurrence.For)} each {Duration.Format(recurrence.Every)}";
        return T($"{world.Flows} flows for {Duration.Format(world.Time)}, {behind}, {world.Loss:0.####%} of the segments lost")
            + recurring("outages", world.Outages) + recurring("sleep", world.Sleep)
            + T($", deaths of a peer a day: {world.DeathsPerDay}")
            + (world.CutAt is { } cut ? $", all peers cut off after {Duration.Format(cut)}" : "")
            + (world.TrafficEvery is { } every ? $", a message each {Duration.Format(every)}" : ", idle all the time")
            + T($"; seed {world.Seed}");
    }

    private static IEnumerable<(string Name, string Value)> Facts(SimulatedRun run)
    {
        SimulationResult result = run.Result;
        yield return ("survived", T($"{result.Survived} of {result.World.Flows} flows ({Part(run.SurvivedPart)}) were never ended wrongly"));
        yield return ("ended wrongly", run.WronglyEnded == 0 ? "0" : T($"{run.WronglyEnded}: {Expired(result)} expired bindings ({result.ExpiredUnnoticed} not noticed), {result.FalseDeaths} false deaths ({result.FalseDeathsInOutages} in outages), {result.GivenUpAsleep} given up asleep"));
        yield return ("dead peers", result.Detection.Count == 0 ? T($"0 found, {result.NotYetFound} not yet")
            : T($"{result.Detection.Count} found, p50 {Time(result, 0.5)}, p90 {Time(result, 0.9)}, p99 {Time(result, 0.99)}, at most {Time(result, 1)}; {result.NotYetFound} not yet"));
        yield return ("probes", T($"{result.Probes}, {run.ProbesPerFlowDay:0.#} a flow and day; with answers {run.BytesPerFlowDay:0} bytes (IPv4)"));
        yield return ("peak", T($"{run.PeakWithJitter} probes a second with jitter, {run.PeakWithoutJitter} without"));
    }

    private static string[] Row(SimulatedRun run) =>
    [
        run.Policy.ToString(), Part(run.SurvivedPart), T($"{Expired(run.Result)}"), T($"{run.Result.FalseDeaths}"), T($"{run.Result.GivenUpAsleep}"),
        Time(run.Result, 0.5), Time(run.Result, 0.99), Time(run.Result, 1), T($"{run.ProbesPerFlowDay:0.#}"), T($"{run.BytesPerFlowDay:0}"),
        T($"{run.PeakWithJitter}"), T($"{run.PeakWithoutJitter}"),
    ];

    private static long Expired(SimulationResult result) => result.Expired + result.ExpiredUnnoticed;

    // Never rounded up to all.
    private static string Part(double part) => (Math.Floor(part * 100_000) / 1000).ToString("0.###", CultureInfo.InvariantCulture) + "%";

    // To a tenth of a second, which is more than a percentile is good for above ten seconds.
    private static string Time(SimulationResult result, double part) => result.Detection.Percentile(part) is { } time
        ? Duration.Format(TimeSpan.FromSeconds(Math.Round(time.TotalSeconds, 1))) : "-";

    private static string T(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
