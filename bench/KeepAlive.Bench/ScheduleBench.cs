using System.Diagnostics;
using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Bench;

/// <summary>
/// What a million keepalive clocks cost: flows idle 60 s, 100,000 touches a second at random, every probe answered,
/// in virtual time; the processor time spent is set against the time simulated.
/// </summary>
internal static class ScheduleBench
{
    private const int Flows = 1_000_000;
    private const int TouchesPerSecond = 100_000;
    private const int Rounds = 5;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Simulated = TimeSpan.FromMinutes(2);
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(60), 4, TimeSpan.FromSeconds(15));

    public static void Run()
    {
        var random = new Random(1);
        Instant now = Instant.Zero + TimeSpan.FromHours(1);
        var flows = new TimedFlow[Flows];
        for (int i = 0; i < Flows; i++) flows[i] = new TimedFlow(new Probe(Policy, ProbeQuestion.PeerAlive, now, random.NextDouble()));

        long before = GC.GetAllocatedBytesForCurrentThread();
        var schedule = new Schedule<TimedFlow>(now);
        foreach (TimedFlow flow in flows) flow.Entry = schedule.Add(flow, now + (Policy.Idle * random.NextDouble()));
        double bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Flows;

        double[] percent = new double[Rounds];
        double[] touchOnly = new double[Rounds];
        long probes = 0, taken = 0;
        for (int round = 0; round < Rounds; round++)
        {
            touchOnly[round] = Cpu(() => Pass(flows, null, ref now, random, ref probes, ref taken));
            probes = taken = 0;
            percent[round] = Cpu(() => Pass(flows, schedule, ref now, random, ref probes, ref taken));
        }

        Array.Sort(percent);
        Array.Sort(touchOnly);
        string line(string name, string value) => $"| {name} | {value} |";
        Console.WriteLine($"{Machine.Describe()}; {Rounds} rounds of {Simulated.TotalSeconds:0} simulated seconds, median (minimum to maximum)\n");
        Console.WriteLine("| 1,000,000 flows, idle 60 s, 100,000 touches/s | |\n| --- | --- |");
        Console.WriteLine(line("one core, touches and schedule", Spread(percent)));
        Console.WriteLine(line("of that the touches alone (a store to a random flow: a cache miss)", Spread(touchOnly)));
        Console.WriteLine(line("memory a flow beyond the flow itself", string.Create(CultureInfo.InvariantCulture, $"{bytes:0.0} bytes")));
        Console.WriteLine(line("deadlines looked at, probes sent, a second", string.Create(CultureInfo.InvariantCulture, $"{taken / Simulated.TotalSeconds:N0}, {probes / Simulated.TotalSeconds:N0}")));
    }

    private static void Pass(TimedFlow[] flows, Schedule<TimedFlow>? schedule, ref Instant now, Random random, ref long probes, ref long taken)
    {
        int touches = (int)(TouchesPerSecond * Step.TotalSeconds);
        for (Instant end = now + Simulated; now < end; now += Step)
        {
            for (int i = 0; i < touches; i++) flows[random.Next(Flows)].Probe.OnReceived(now);
            while (schedule is not null && schedule.TryTake(now, out TimedFlow flow))
            {
                taken++;
                if (flow.Probe.OnDeadline(now) == ProbeEffect.SendProbe)
                {
                    probes++;
                    flow.Probe.OnProbeSent(now);
                    flow.Probe.OnReceived(now);
                }

                schedule.Arm(flow.Entry, flow.Probe.Deadline);
            }
        }
    }

    private static double Cpu(Action pass)
    {
        using Process self = Process.GetCurrentProcess();
        TimeSpan start = self.TotalProcessorTime;
        pass();
        self.Refresh();
        return (self.TotalProcessorTime - start) / Simulated * 100;
    }

    private static string Spread(double[] sorted) =>
        string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2]:0.00} % ({sorted[0]:0.00} to {sorted[^1]:0.00})");

    private sealed class TimedFlow(Probe probe)
    {
        public Probe Probe = probe;
        public ScheduleEntry Entry;
    }
}
