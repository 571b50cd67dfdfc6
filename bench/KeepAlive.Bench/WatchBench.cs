using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>
/// A million flows of one's own protocol on <see cref="KeepAliveClock"/>, beside what is written by hand: a
/// <see cref="Timer"/> a flow, and a look at every flow once a second. In real time; each touched once an idle time on average.
/// </summary>
internal static class WatchBench
{
    private const int Flows = 1_000_000;
    private static readonly KeepAlivePolicy Policy = KeepAlivePolicy.Parse("15:3:15");
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(17);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(10);
    private static long _probes;

    public static void Run()
    {
        Console.WriteLine($"{Machine.Describe()}; {Flows:N0} flows, idle {Policy.Idle.TotalSeconds:0} s, {Flows / Policy.Idle.TotalSeconds:N0} touches/s at random, {Measured.TotalSeconds:0} s of real time\n");
        Console.WriteLine("| | of one core | managed memory a flow | probes/s |\n| --- | --- | --- | --- |");
        Measure("the touches alone", () => new Touched[Flows].Select(_ => new Touched()).ToArray(), flow => flow.Last = Environment.TickCount64, _ => { });
        using (var clock = new KeepAliveClock())
            Measure("`KeepAliveClock`", () => new int[Flows].Select(_ => Watch(clock)).ToArray(), flow => flow.Touch(), flow => flow.Dispose());
        Measure("a timer a flow, asked again when it fires", () => new int[Flows].Select(_ => new Timed(isLazy: true)).ToArray(), flow => flow.Touch(), flow => flow.Dispose());
        Measure("a timer a flow, moved by each touch", () => new int[Flows].Select(_ => new Timed(isLazy: false)).ToArray(), flow => flow.Touch(), flow => flow.Dispose());
        Timer? scan = null;
        Measure("a look at every flow once a second", () =>
        {
            Touched[] all = [.. new int[Flows].Select(_ => new Touched())];
            scan = new Timer(_ => Scan(all), null, 1000, 1000);
            return all;
        }, flow => flow.Last = Environment.TickCount64, _ => scan?.Dispose());
    }

    // Every probe is answered at once.
    private static KeepAliveFlow Watch(KeepAliveClock clock)
    {
        var connection = new Answering();
        return connection.Flow = clock.Watch(Policy, connection);
    }

    private static void Measure<T>(string name, Func<T[]> make, Action<T> touch, Action<T> end)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        T[] flows = make();
        double bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Flows;
        Drive(flows, touch, WarmUp);
        long probes = Interlocked.Read(ref _probes);
        using Process self = Process.GetCurrentProcess();
        (TimeSpan cpu, var wall) = (self.TotalProcessorTime, Stopwatch.StartNew());
        Drive(flows, touch, Measured);
        self.Refresh();
        double percent = (self.TotalProcessorTime - cpu) / wall.Elapsed * 100;
        double rate = (Interlocked.Read(ref _probes) - probes) / wall.Elapsed.TotalSeconds;
        foreach (T flow in flows) end(flow);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {percent:0.0} % | {bytes:0} bytes | {rate:N0} |"));
    }

    private static void Drive<T>(T[] flows, Action<T> touch, TimeSpan time)
    {
        var random = new Random(1);
        int touches = (int)(Flows / Policy.Idle.TotalSeconds * Turn.TotalSeconds);
        var since = Stopwatch.StartNew();
        for (long turn = 1; since.Elapsed < time; turn++)
        {
            for (int i = 0; i < touches; i++) touch(flows[random.Next(Flows)]);
            TimeSpan rest = (Turn * turn) - since.Elapsed;
            if (rest > TimeSpan.Zero) Thread.Sleep(rest);
        }
    }

    private static void Scan(Touched[] flows)
    {
        long now = Environment.TickCount64;
        foreach (Touched flow in flows)
        {
            if (now - flow.Last < Policy.Idle.TotalMilliseconds) continue;
            flow.Last = now;
            Interlocked.Increment(ref _probes);
        }
    }

    private class Touched
    {
        public long Last = Environment.TickCount64;
    }

    private sealed class Answering : IKeepAliveProbe
    {
        public KeepAliveFlow? Flow { get; set; }

        public ValueTask SendProbeAsync()
        {
            Interlocked.Increment(ref _probes);
            Flow?.Touch();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Timed : Touched, IDisposable
    {
        private readonly bool _isLazy;
        private readonly Timer _timer;

        public Timed(bool isLazy)
        {
            _isLazy = isLazy;
            _timer = new Timer(static flow => ((Timed)flow!).OnTimer(), this, Policy.Idle, Timeout.InfiniteTimeSpan);
        }

        public void Touch()
        {
            Last = Environment.TickCount64;
            if (!_isLazy) _timer.Change(Policy.Idle, Timeout.InfiniteTimeSpan);
        }

        public void Dispose() => _timer.Dispose();

        private void OnTimer()
        {
            long wait = Last + (long)Policy.Idle.TotalMilliseconds - Environment.TickCount64;
            if (wait <= 0)
            {
                Interlocked.Increment(ref _probes);
                (Last, wait) = (Environment.TickCount64, (long)Policy.Idle.TotalMilliseconds);
            }

            _timer.Change(wait, Timeout.Infinite);
        }
    }
}
