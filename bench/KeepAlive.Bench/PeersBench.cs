using System.Globalization;
using KeepAlive.Bench.Load;

namespace KeepAlive.Bench;

/// <summary>
/// Every relay under the same loads in the same run, one after another and round after round, so that a slow moment of
/// the machine meets all of them: bulk throughput and what a gigabyte costs, round trips, alone and beside a bulk flow, flows
/// accepted, and what looking at a protocol costs.
/// </summary>
internal static class PeersBench
{
    private const long BulkBytes = 4L << 30;

    private const int FtpFlows = 64;

    private static readonly int[] FlowCounts = [1, 16];
    private static readonly (string Figure, string Name, string Goal)[] Compared =
    [
        ("bulk 1", "throughput, 1 flow", "1.2 or more"), ("bulk 16", "throughput, 16 flows", "1.2 or more"),
        ("cpu 1", "CPU a GB, 1 flow", "0.8 or less"), ("cpu 16", "CPU a GB, 16 flows", "0.8 or less"),
        ("p50 64", "p50 of 64 flows", "1.0 or less"), ("p99 64", "p99 of 64 flows", "1.0 or less"),
        ("beside p99", "p99 beside a bulk flow", "1.0 or less"), ("accept", "flows accepted", "1.0 or more"),
    ];

    private static readonly int[] PingPongCounts = [1, 64];

    // Two descriptors a flow and four of pipes, of 20,000 a process.
    private const int FlowsMax = 3000;

    // Small flows beside one that is always busy.
    private const int BesideFlows = 8;
    private const long EndlessBytes = 1L << 40;

    /// <param name="rounds">How often each is measured.</param>
    /// <param name="isFew">Only ours and what it is compared with.</param>
    public static async Task<int> RunAsync(int rounds, bool isFew)
    {
        string folder = Directory.CreateTempSubdirectory("keepalive-bench-").FullName;
        try
        {
            IReadOnlyList<Relay> relays = Relay.All(folder, FlowsMax, out IReadOnlyList<string> missing);
            if (isFew) relays = [.. relays.Where(r => r.Name is Relay.DirectName or Relay.OursName or Relay.LoopName or Relay.SplicedName)];
            Console.WriteLine($"{Machine.Describe()}; {Congestion()} as congestion control; {rounds} rounds, medians\n");
            if (missing.Count > 0) Console.WriteLine($"not here: {string.Join(", ", missing)} (eng/test-servers bench brings them)\n");
            using Peer server = Peer.Start(Environment.ProcessPath!, "load-server");
            int to = int.Parse(await server.LineAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
            using Peer ftpServer = Peer.Start(Environment.ProcessPath!, "load-ftp-server");
            int ftp = int.Parse(await ftpServer.LineAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
            var figures = new Dictionary<(string Relay, string Figure), List<double>>();
            for (int round = 0; round < rounds; round++)
            {
                foreach (Relay relay in relays) await MeasureAsync(relay, to, (figure, value) => Note(relay, figure, value)).ConfigureAwait(false);
                // A greeting that comes before its socket is in the map is lost: the sockmap's cannot do this one.
                foreach (Relay relay in (Relay[])[relays[0], Relay.Ours(Relay.InspectedName, "ftp"), .. relays.Skip(1).Where(r => r.Name != Relay.SockmapName)])
                    await MeasureFtpAsync(relay, ftp, (figure, value) => Note(relay, figure, value)).ConfigureAwait(false);
            }

            void Note(Relay relay, string figure, double value)
            {
                if (!figures.TryGetValue((relay.Name, figure), out List<double>? values)) figures[(relay.Name, figure)] = values = [];
                values.Add(value);
            }

            Print(relays, (relay, figure) => figures.TryGetValue((relay, figure), out List<double>? values) ? values.Order().ElementAt(values.Count / 2) : null);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(Relay relay, int to, Action<string, double> note)
    {
        int port = relay.Start is null ? to : Relay.FreePort();
        using Peer? process = await StartAsync(relay, port, to).ConfigureAwait(false);
        foreach (int flows in FlowCounts)
        {
            double before = process is null ? 0 : Machine.CpuSeconds(process.Pid), machine = Machine.CpuSeconds();
            double seconds = (await LoadAsync("load-bulk", port, flows, BulkBytes / flows).ConfigureAwait(false))[0];
            Progress($"{relay.Name}: {flows} flows, {BulkBytes / seconds / 1e9:0.00} GB/s");
            note($"bulk {flows}", BulkBytes / seconds / 1e9);
            note($"machine {flows}", (Machine.CpuSeconds() - machine) / (BulkBytes / 1e9));
            if (process is not null) note($"cpu {flows}", (Machine.CpuSeconds(process.Pid) - before) / (BulkBytes / 1e9));
        }

        foreach (int flows in PingPongCounts)
        {
            double[] took = await LoadAsync("load-ping", port, flows).ConfigureAwait(false);
            Progress($"{relay.Name}: {flows} flows, p50 {took[0]:0} us, p99 {took[1]:0} us");
            note($"p50 {flows}", took[0]);
            note($"p99 {flows}", took[1]);
            note($"p999 {flows}", took[2]);
        }

        using (Peer bulk = Peer.Start(Environment.ProcessPath!, "load-bulk", $"{port}", "1", $"{EndlessBytes}"))
        {
            double[] took = await LoadAsync("load-ping", port, BesideFlows).ConfigureAwait(false);
            Progress($"{relay.Name}: {BesideFlows} flows beside a bulk flow, p50 {took[0]:0} us, p99 {took[1]:0} us");
            note("beside p50", took[0]);
            note("beside p99", took[1]);
        }

        note("swallow", (await LoadAsync("load-swallow", port).ConfigureAwait(false))[0] / 1e6);

        // A process a flow, and two threads a flow: that many would say nothing about them as relays.
        if (relay.Name is Relay.ForkingName or Relay.SockmapName) return;
        double accepted = (await LoadAsync("load-accept", port).ConfigureAwait(false))[0];
        Progress($"{relay.Name}: {accepted:0} flows a second");
        note("accept", accepted);
    }

    // Commands and replies of a logged-in session, which only ours looks at.
    private static async Task MeasureFtpAsync(Relay relay, int to, Action<string, double> note)
    {
        int port = relay.Start is null ? to : Relay.FreePort();
        using Peer? process = await StartAsync(relay, port, to).ConfigureAwait(false);
        double[] took = await LoadAsync("load-ftp", port, FtpFlows).ConfigureAwait(false);
        Progress($"{relay.Name}: {FtpFlows} FTP sessions, {took[3]:0} commands a second");
        note("ftp p50", took[0]);
        note("ftp p99", took[1]);
        note("ftp rate", took[3]);
    }

    private static async Task<Peer?> StartAsync(Relay relay, int port, int to)
    {
        Peer? process = relay.Start?.Invoke(port, to);
        process?.Drain();
        await Relay.ReadyAsync(port).ConfigureAwait(false);
        return process;
    }

    // It takes minutes.
    private static void Progress(FormattableString line) => Console.Error.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static async Task<double[]> LoadAsync(string load, params long[] arguments)
    {
        using Peer client = Peer.Start(Environment.ProcessPath!, [load, .. arguments.Select(a => a.ToString(CultureInfo.InvariantCulture))]);
        string line = await client.LineAsync().ConfigureAwait(false);
        return [.. line.Split(' ').Select(f => double.Parse(f, CultureInfo.InvariantCulture))];
    }

    private static void Print(IReadOnlyList<Relay> relays, Func<string, string, double?> of)
    {
        Table("| relay | GB/s, 1 flow | 16 flows | CPU s/GB, 1 flow | 16 flows | flows accepted/s |",
            ("bulk 1", "0.00"), ("bulk 16", "0.00"), ("cpu 1", "0.000"), ("cpu 16", "0.000"), ("accept", "#,0"));
        Table("| relay | whole machine, CPU s/GB: 1 flow | 16 flows | MB taken for a reader that does not read |", ("machine 1", "0.00"), ("machine 16", "0.00"), ("swallow", "#,0"));
        Table("| relay | 64 bytes to and fro, 1 flow: p50 | p99 | p99.9 | 64 flows: p50 | p99 | p99.9 |",
            ("p50 1", "0 µs"), ("p99 1", "0 µs"), ("p999 1", "#,0 µs"), ("p50 64", "#,0 µs"), ("p99 64", "#,0 µs"), ("p999 64", "#,0 µs"));
        Table($"| relay | {BesideFlows} flows beside a bulk flow: p50 | p99 | {FtpFlows} FTP sessions, commands/s | p50 | p99 |",
            ("beside p50", "#,0 µs"), ("beside p99", "#,0 µs"), ("ftp rate", "#,0"), ("ftp p50", "#,0 µs"), ("ftp p99", "#,0 µs"));
        Table($"| ours against | {Relay.SplicedName} | goal | {Relay.LoopName} |");
        foreach ((string figure, string name, string goal) in Compared)
            Console.WriteLine($"| {name} | {Ratio(figure, Relay.SplicedName)} | {goal} | {Ratio(figure, Relay.LoopName)} |");
        double? inspected = of(Relay.InspectedName, "ftp rate") / of(Relay.OursName, "ftp rate");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nFTP commands a second, inspected against our own plain relay: {inspected:0.00} (goal: at least 0.7)"));

        void Table(string head, params (string Figure, string Format)[] columns)
        {
            Console.WriteLine($"\n{head}\n|{string.Concat(Enumerable.Repeat(" --- |", head.Count(c => c == '|') - 1))}");
            if (columns.Length == 0) return;
            Relay[] rows = columns.Any(c => c.Figure == "ftp rate") ? [.. relays, Relay.Ours(Relay.InspectedName, "ftp")] : [.. relays];
            foreach (Relay relay in rows)
                Console.WriteLine($"| {relay.Name} | {string.Join(" | ", columns.Select(c => of(relay.Name, c.Figure)?.ToString(c.Format, CultureInfo.InvariantCulture) ?? "-"))} |");
        }

        string Ratio(string figure, string peer) => (of(Relay.OursName, figure) / of(peer, figure))?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
    }

    private static string Congestion() => File.ReadAllText("/proc/sys/net/ipv4/tcp_congestion_control").Trim();
}
