using System.Net;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Bench;

/// <summary>The pure parts by BenchmarkDotNet: probe, schedule, FTP.</summary>
internal static class MicroBench
{
    public static int Run() => Run(typeof(TouchBenchmarks), typeof(ProbeBenchmarks), typeof(ClockBenchmarks), typeof(FtpBenchmarks));

    /// <summary>That of the packages alone.</summary>
    public static int RunTouch() => Run(typeof(TouchBenchmarks));

    private static int Run(params Type[] types)
    {
        IConfig config = DefaultConfig.Instance.WithArtifactsPath(Path.Combine(Machine.Root, "artifacts/bench/micro"))
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        foreach (Type type in types) BenchmarkRunner.Run(type, config);
        return 0;
    }
}

/// <summary>What a read costs a flow that <see cref="KeepAliveClock"/> watches, beside the system's clocks.</summary>
[MemoryDiagnoser]
public class TouchBenchmarks
{
    private readonly KeepAliveFlow _flow = KeepAliveClock.Shared.Watch(KeepAlivePolicy.Default, () => ValueTask.CompletedTask);
    private long _last;

    // More than the few cycles that an empty method is mistaken by.
    private const int Calls = 1000;

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void Touch()
    {
        for (int i = 0; i < Calls; i++) _flow.Touch();
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public void TickCount64()
    {
        for (int i = 0; i < Calls; i++) _last = Environment.TickCount64;
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public long Timestamp()
    {
        for (int i = 0; i < Calls; i++) _last = System.Diagnostics.Stopwatch.GetTimestamp();
        return _last;
    }
}

/// <summary>One flow's keepalive clock.</summary>
[MemoryDiagnoser]
public class ProbeBenchmarks
{
    private static readonly KeepAlivePolicy Policy = new(TimeSpan.FromSeconds(60), 3, TimeSpan.FromSeconds(10));
    private Probe _probe = new(Policy, ProbeQuestion.PeerAlive, Instant.Zero);
    private Instant _now = Instant.Zero;

    /// <summary>What traffic costs.</summary>
    [Benchmark]
    public void Heard() => _probe.OnReceived(_now += TimeSpan.FromMilliseconds(1));

    /// <summary>Silence, a probe, its answer.</summary>
    [Benchmark]
    public bool Probed()
    {
        ProbeEffect effect = _probe.OnDeadline(_now += Policy.Idle);
        _probe.OnProbeSent(_now);
        _probe.OnReceived(_now);
        return effect == ProbeEffect.SendProbe;
    }
}

/// <summary>
/// One second of so many flows, each used once in ten seconds and idle after sixty: the schedule beside a timer a flow, and beside
/// looking at every flow once a second.
/// </summary>
[MemoryDiagnoser]
public class ClockBenchmarks
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private const int UsedOnceIn = 10;

    private readonly Random _random = new(1);
    private Schedule<Used> _schedule = null!;
    private Used[] _flows = null!;
    private Instant _now;

    [Params(10_000, 100_000, 1_000_000)]
    public int Flows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _now = Instant.Zero + TimeSpan.FromHours(1);
        _schedule = new Schedule<Used>(_now);
        _flows = [.. Enumerable.Range(0, Flows).Select(_ => new Used { Last = _now })];
        foreach (Used flow in _flows)
        {
            flow.Entry = _schedule.Add(flow, _now + (Idle * _random.NextDouble()));
            flow.Timer = new Timer(static _ => { }, null, Idle, Timeout.InfiniteTimeSpan);
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (Used flow in _flows) flow.Timer!.Dispose();
    }

    [Benchmark(Baseline = true)]
    public int Schedule()
    {
        _now += Second;
        for (int i = 0; i < Flows / UsedOnceIn; i++) _flows[_random.Next(Flows)].Last = _now;
        int due = 0;
        for (; _schedule.TryTake(_now, out Used flow); due++)
        {
            if (flow.Last + Idle <= _now) flow.Last = _now; // probed, and answered
            _schedule.Arm(flow.Entry, flow.Last + Idle);
        }

        return due;
    }

    [Benchmark]
    public void TimerEach()
    {
        for (int i = 0; i < Flows / UsedOnceIn; i++) _flows[_random.Next(Flows)].Timer!.Change(Idle, Timeout.InfiniteTimeSpan);
    }

    [Benchmark]
    public int ScanAll()
    {
        _now += Second;
        for (int i = 0; i < Flows / UsedOnceIn; i++) _flows[_random.Next(Flows)].Last = _now;
        int due = 0;
        foreach (Used flow in _flows)
        {
            if (flow.Last + Idle > _now) continue;
            flow.Last = _now;
            due++;
        }

        return due;
    }

    private sealed class Used
    {
        public Instant Last { get; set; }

        public ScheduleEntry Entry { get; set; }

        public Timer? Timer { get; set; }
    }
}

/// <summary>What looking at an FTP session costs.</summary>
[MemoryDiagnoser]
public class FtpBenchmarks
{
    private readonly Verdicts _verdicts = new();
    private FtpProtocol _protocol = null!;
    private Instant _now = Instant.Zero + TimeSpan.FromHours(1);

    [GlobalSetup]
    public void Setup()
    {
        _protocol = new FtpProtocol(new FtpOptions(), new FtpServer(), new NoData(), _now);
        Tell(Leg.Upstream, "220 ready\r\n"u8);
        Tell(Leg.Downstream, "USER u\r\n"u8);
        Tell(Leg.Upstream, "230 in\r\n"u8);
    }

    /// <summary>A command and its reply.</summary>
    [Benchmark]
    public void Command()
    {
        Tell(Leg.Downstream, "PWD\r\n"u8);
        Tell(Leg.Upstream, "257 \"/\"\r\n"u8);
    }

    /// <summary>A reply of a hundred lines.</summary>
    [Benchmark]
    public void LongReply()
    {
        Tell(Leg.Downstream, "HELP\r\n"u8);
        Tell(Leg.Upstream, "214-it is\r\n"u8);
        for (int i = 0; i < 98; i++) Tell(Leg.Upstream, " one of the commands that there are here, and what it is for\r\n"u8);
        Tell(Leg.Upstream, "214 that is all\r\n"u8);
    }

    private void Tell(Leg from, ReadOnlySpan<byte> bytes)
    {
        _protocol.OnReceived(from, bytes, _now += TimeSpan.FromMilliseconds(1), _verdicts);
        _verdicts.Clear();
    }

    private sealed class NoData : IDataPaths
    {
        public bool IsOpen => false;

        public IPEndPoint? Open(Leg from, int port) => null;

        public void Drain(int port)
        {
        }

        public bool IsPeer(Leg leg, IPAddress address) => false;

        public void Close()
        {
        }
    }
}
