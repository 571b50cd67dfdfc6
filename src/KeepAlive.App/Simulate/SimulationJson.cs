using System.Text.Json;
using KeepAlive.App.Explain;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.App.Simulate;

/// <summary>The same for programs: the world, then each policy.</summary>
internal static class SimulationJson
{
    public static void Write(Utf8JsonWriter writer, Scenario scenario, IReadOnlyList<SimulatedRun> runs)
    {
        SimulatedWorld world = scenario.World;
        Explanation.WriteNumbers(writer, [("flows", world.Flows), ("timeSeconds", world.Time.TotalSeconds), ("seed", world.Seed)]);
        writer.WriteBoolean("jitter", world.HasJitter);
        writer.WriteString("middlebox", scenario.Limit?.Middlebox?.Name);
        Explanation.WriteNumbers(writer,
        [
            ("timeoutSeconds", world.BindingTimeout?.TotalSeconds), ("loss", world.Loss),
            ("outageEverySeconds", world.Outages?.Every.TotalSeconds), ("outageForSeconds", world.Outages?.For.TotalSeconds),
            ("sleepEverySeconds", world.Sleep?.Every.TotalSeconds), ("sleepForSeconds", world.Sleep?.For.TotalSeconds),
            ("deathsPerDay", world.DeathsPerDay), ("cutAtSeconds", world.CutAt?.TotalSeconds), ("trafficEverySeconds", world.TrafficEvery?.TotalSeconds),
        ]);
        writer.WriteStartArray("policies");
        foreach (SimulatedRun run in runs) Write(writer, run);
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, SimulatedRun run)
    {
        SimulationResult result = run.Result;
        writer.WriteStartObject();
        writer.WriteString("spec", run.Policy.ToString());
        Explanation.WriteNumbers(writer,
        [
            ("opened", result.Opened), ("survived", result.Survived), ("expired", result.Expired), ("expiredUnnoticed", result.ExpiredUnnoticed),
            ("falseDeaths", result.FalseDeaths), ("falseDeathsInOutages", result.FalseDeathsInOutages), ("givenUpAsleep", result.GivenUpAsleep),
            ("deadFound", result.Detection.Count), ("deadNotYetFound", result.NotYetFound),
            ("detectionP50Seconds", Seconds(result, 0.5)), ("detectionP90Seconds", Seconds(result, 0.9)), ("detectionP99Seconds", Seconds(result, 0.99)),
            ("detectionMaxSeconds", Seconds(result, 1)),
            ("probes", result.Probes), ("answers", result.Answers), ("probesPerFlowDay", Math.Round(run.ProbesPerFlowDay, 3)), ("bytesPerFlowDayIPv4", Math.Round(run.BytesPerFlowDay, 1)),
            ("peakProbesPerSecondJitterOn", run.PeakWithJitter), ("peakProbesPerSecondJitterOff", run.PeakWithoutJitter),
        ]);
        writer.WriteEndObject();
    }

    private static double? Seconds(SimulationResult result, double part) => result.Detection.Percentile(part)?.TotalSeconds is { } seconds ? Math.Round(seconds, 3) : null;
}
