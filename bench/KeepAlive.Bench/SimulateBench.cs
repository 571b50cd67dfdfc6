using System.Diagnostics;
using System.Globalization;
using KeepAlive.Paths.Simulation;

namespace KeepAlive.Bench;

/// <summary>A million flows for a simulated day, on every processor: wall time, and the memory it takes.</summary>
internal static class SimulateBench
{
    private const int Flows = 1_000_000;

    private static readonly SimulatedWorld Plain = new(new KeepAlivePolicy(TimeSpan.FromSeconds(60), 4, TimeSpan.FromSeconds(15)))
    {
        Flows = Flows,
        Loss = 0.01,
        DeathsPerDay = 1,
        BindingTimeout = TimeSpan.FromSeconds(350),
    };

    private static readonly SimulatedWorld Rough = Plain with
    {
        TrafficEvery = TimeSpan.FromMinutes(5),
        Outages = new Recurrence(TimeSpan.FromHours(6), TimeSpan.FromSeconds(40)),
        Sleep = new Recurrence(TimeSpan.FromHours(2), TimeSpan.FromMinutes(1)),
    };

    public static int Run()
    {
        int threads = Environment.ProcessorCount;
        Console.WriteLine($"{Machine.Describe()}; {threads} threads\n");
        Console.WriteLine("| 1,000,000 flows of 60:4:15, a day | wall | probes | deadlines a second | resident at most |\n| --- | --- | --- | --- | --- |");
        foreach ((string name, SimulatedWorld world) in ((string, SimulatedWorld)[])
        [
            // First, as the memory is the most so far.
            ("1,000 of them: 1 % lost, a death a day", Plain with { Flows = Flows / 1000 }),
            ("1 % lost, a death a day", Plain), ("and outages, sleep, a message each 5 minutes", Rough),
        ])
        {
            long begun = Stopwatch.GetTimestamp();
            SimulationResult result = Simulator.Run(world, threads);
            TimeSpan wall = Stopwatch.GetElapsedTime(begun);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {wall.TotalSeconds:0.0} s | {result.Probes:N0} | {result.Events / wall.TotalSeconds:N0} | {Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0:0} MiB |"));
        }

        return 0;
    }
}
