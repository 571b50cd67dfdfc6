using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>
/// Flows come, talk, fall silent, are reset and end, and the file is changed in between, as in a day at one flow a second but without the
/// pauses: afterwards the daemon is no bigger than it was once it had seen as much as makes it warm.
/// </summary>
[Collection(Alone.Name)] // how many flows there are in a second is the machine's
public sealed class ChurnTests
{
    private const int Parallel = 8;
    private const int SilentMax = 200;
    private const double UsualPerSecond = 1;

    // What the runtime keeps for itself comes and goes by some megabytes.
    private const int GrownMiBMax = 6;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(7); // a quiet gateway collects its garbage after 3 to 6 s
    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(250);

    // KEEPALIVE_SOAK_CHURN is the script's: a duration.
    private static readonly TimeSpan Length = Duration.TryParse(Environment.GetEnvironmentVariable("KEEPALIVE_SOAK_CHURN") ?? "10s", out TimeSpan length) ? length
        : throw new InvalidOperationException("KEEPALIVE_SOAK_CHURN is not a duration such as 5m");

    private readonly Queue<(Socket Near, Socket Far)> _silent = [];
    private readonly Lock _pairing = new();
    private long _flows;
    private long _resets;

    [Fact]
    public async Task A_days_flows_leave_nothing_behind()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: /proc tells how big a process is");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        server.Listen(Parallel * 4);
        int[] ports = Traffic.FreePorts(1);
        string Config(int round) => $$"""
            { "gateways": [ { "name": "churn", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true, "tcp": "{{60 + (round % 2)}}:3:20", "maxFlows": {{9000 + (round / 2 % 2)}} } ] }
            """;
        await using UpProcess up = await UpProcess.StartAsync(work, Config(0));
        await ChurnAsync(up, server, ports[0], Config, WarmUp);
        long warm = await SettledKiBAsync(up);
        long before = _flows;
        var watch = Stopwatch.StartNew();
        await ChurnAsync(up, server, ports[0], Config, Length);
        double seconds = watch.Elapsed.TotalSeconds;
        long done = _flows - before, after = await SettledKiBAsync(up);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{done} flows in {seconds:0} s ({done / seconds:0} a second, {_resets} resets): {done / UsualPerSecond / 3600:0.0} hours at {UsualPerSecond} a second; resident {warm / 1024.0:0.0} MiB warm, {after / 1024.0:0.0} MiB after"));
        Assert.True(_resets > 0, "nobody reset: nothing was tried");
        Assert.Equal(0, up.Count("refused"));
        Assert.True((after - warm) >> 10 <= GrownMiBMax, $"{warm} KiB before {done} flows, {after} KiB after them");
        Assert.Equal(0, await up.StopAsync());
    }

    private async Task ChurnAsync(UpProcess up, Socket server, int port, Func<int, string> config, TimeSpan length)
    {
        using var stop = new CancellationTokenSource(length);
        Task[] workers = [.. Enumerable.Range(0, Parallel).Select(seed => Task.Run(() => WorkAsync(server, port, new Random(seed), stop.Token)))];
        for (int round = 1; !stop.IsCancellationRequested; round++)
        {
            await up.RewriteAsync(config(round), signal: "HUP");
            await Task.Delay(TimeSpan.FromSeconds(1), stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(workers).WaitAsync(UpProcess.Patience);
        while (_silent.TryDequeue(out (Socket Near, Socket Far) left)) End(left);
    }

    private async Task WorkAsync(Socket server, int port, Random random, CancellationToken stop)
    {
        byte[] bytes = new byte[64 * 1024];
        while (!stop.IsCancellationRequested)
        {
            (Socket Near, Socket Far) flow = Pair(server, port);
            await TalkAsync(flow.Near, flow.Far, bytes.AsMemory(0, random.Next(1, random.Next(8) == 0 ? bytes.Length : 512)));
            await TalkAsync(flow.Far, flow.Near, bytes.AsMemory(0, random.Next(1, 512)));
            Interlocked.Increment(ref _flows);
            switch (random.Next(8))
            {
                case 0:
                    Interlocked.Increment(ref _resets);
                    (random.Next(2) == 0 ? flow.Near : flow.Far).Reset();
                    flow.Far.Dispose();
                    flow.Near.Dispose();
                    break;
                case 1:
                    Keep(flow);
                    break;
                default:
                    End(flow);
                    break;
            }
        }
    }

    // One after another, so that a client's other end is known.
    private (Socket Near, Socket Far) Pair(Socket server, int port)
    {
        lock (_pairing)
        {
            var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            near.Connect(IPAddress.Loopback, port);
            return (near, server.Accept());
        }
    }

    // It says nothing more; the one that has done so for longest ends.
    private void Keep((Socket, Socket) flow)
    {
        lock (_pairing)
        {
            _silent.Enqueue(flow);
            if (_silent.Count > SilentMax) End(_silent.Dequeue());
        }
    }

    private static async Task TalkAsync(Socket from, Socket to, ReadOnlyMemory<byte> bytes)
    {
        Task sending = from.SendAsync(bytes).AsTask();
        byte[] got = new byte[bytes.Length];
        for (int at = 0; at < got.Length;)
        {
            int read = await to.ReceiveAsync(got.AsMemory(at)).AsTask().WaitAsync(UpProcess.Patience);
            Assert.True(read > 0, "a flow ended in the midst");
            at += read;
        }

        await sending;
    }

    // Resets at the test's own end, after a FIN has been sent by one: so many ends would be out of ports for a minute (TIME_WAIT).
    private static void End((Socket Near, Socket Far) flow)
    {
        flow.Far.Dispose();
        flow.Near.LingerState = new LingerOption(true, 0);
        flow.Near.Dispose();
    }

    // The least that it is in a while in which it collects its garbage.
    private static async Task<long> SettledKiBAsync(UpProcess up)
    {
        long least = long.MaxValue;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Quiet; await Task.Delay(Sampling)) least = Math.Min(least, ResidentKiB(up.Id));
        return least;
    }

    // The process's own: pages of files that it has mapped are the kernel's to keep or not.
    private static long ResidentKiB(int pid) => long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
