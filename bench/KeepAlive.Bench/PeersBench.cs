using System.Globalization;
using KeepAlive.Bench.Load;

namespace KeepAlive.Bench;

/// <summary>
/// Every relay under the same loads in the same run, one after another and round after round, so that a slow moment of
/// the machine meets all of them: bulk throughput and what a gigabyte costs, round trips, flows accepted.
/// </summary>
internal static class PeersBench
{
    private const int Rounds = 3;
    private const long BulkBytes = 4L << 30;

    private static readonly int[] FlowCounts = [1, 16];
    private static readonly int[] PingPongCounts = [1, 64];

    // socat forks a process a connection; that many would say nothing about it as a relay.
    private const string Forking = "socat, 64 KB";

    public static async Task<int> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("keepalive-bench-").FullName;
        try
        {
            IReadOnlyList<Relay> relays = Relay.All(folder, out IReadOnlyList<string> missing);
            Console.WriteLine($"{Machine.Describe()}; {Congestion()} as congestion control; {Rounds} rounds, medians\n");
            if (missing.Count > 0) Console.WriteLine($"not here: {string.Join(", ", missing)} (eng/test-servers bench brings them)\n");
            using Peer server = Peer.Start(Environment.ProcessPath!, "load-server");
            int to = int.Parse(await server.LineAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
            var figures = new Dictionary<(string Relay, string Figure), List<double>>();
            for (int round = 0; round < Rounds; round++)
            {
                foreach (Relay relay in relays)
                {
                    await MeasureAsync(relay, to, (figure, value) =>
                    {
                        if (!figures.TryGetValue((relay.Name, figure), out List<double>? values)) figures[(relay.Name, figure)] = values = [];
                        values.Add(value);
                    }).ConfigureAwait(false);
                }
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
        using Peer? process = relay.Start?.Invoke(port, to);
        process?.Drain();
        await Relay.ReadyAsync(port).ConfigureAwait(false);
        foreach (int flows in FlowCounts)
        {
            double before = process is null ? 0 : Machine.CpuSeconds(process.Pid);
            double seconds = (await LoadAsync("load-bulk", port, flows, BulkBytes / flows).ConfigureAwait(false))[0];
            Progress($"{relay.Name}: {flows} flows, {BulkBytes / seconds / 1e9:0.00} GB/s");
            note($"bulk {flows}", BulkBytes / seconds / 1e9);
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

        if (relay.Name == Forking) return;
        double accepted = (await LoadAsync("load-accept", port).ConfigureAwait(false))[0];
        Progress($"{relay.Name}: {accepted:0} flows a second");
        note("accept", accepted);
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
        Table("| relay | 64 bytes to and fro, 1 flow: p50 | p99 | p99.9 | 64 flows: p50 | p99 | p99.9 |",
            ("p50 1", "0 µs"), ("p99 1", "0 µs"), ("p999 1", "#,0 µs"), ("p50 64", "#,0 µs"), ("p99 64", "#,0 µs"), ("p999 64", "#,0 µs"));
        Table($"| ours against | {Relay.SplicedName} | {Relay.LoopName} |");
        foreach ((string figure, string name) in ((string, string)[])[("bulk 1", "throughput, 1 flow"), ("bulk 16", "throughput, 16 flows"), ("cpu 1", "CPU a GB, 1 flow"), ("cpu 16", "CPU a GB, 16 flows"), ("p50 64", "p50 of 64 flows"), ("p99 64", "p99 of 64 flows"), ("accept", "flows accepted")])
            Console.WriteLine($"| {name} | {Ratio(figure, Relay.SplicedName)} | {Ratio(figure, Relay.LoopName)} |");

        void Table(string head, params (string Figure, string Format)[] columns)
        {
            Console.WriteLine($"\n{head}\n|{string.Concat(Enumerable.Repeat(" --- |", head.Count(c => c == '|') - 1))}");
            if (columns.Length == 0) return;
            foreach (Relay relay in relays)
                Console.WriteLine($"| {relay.Name} | {string.Join(" | ", columns.Select(c => of(relay.Name, c.Figure)?.ToString(c.Format, CultureInfo.InvariantCulture) ?? "-"))} |");
        }

        string Ratio(string figure, string peer) => (of(Relay.OursName, figure) / of(peer, figure))?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
    }

    private static string Congestion() => File.ReadAllText("/proc/sys/net/ipv4/tcp_congestion_control").Trim();
}
