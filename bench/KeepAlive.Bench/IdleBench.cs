using System.Globalization;
using KeepAlive.Bench.Load;

namespace KeepAlive.Bench;

/// <summary>
/// What 9,000 idle sessions cost a relay: resident memory, beside every peer, and for ours the processor time of keeping them
/// alive. Each relay in its own process; sessions are used again at the end, so that none counts that is not alive.
/// </summary>
internal static class IdleBench
{
    private const int Flows = 9000;
    private const int Fewer = 1000;

    // Whoever gives memory back does it by then.
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("keepalive-bench-").FullName;
        try
        {
            Console.WriteLine($"{Machine.Describe()}; resident memory (VmRSS), child processes included, {Settles.TotalSeconds:0} s after the last session\n");
            using Peer server = Peer.Start(Environment.ProcessPath!, "idle-server", $"{Flows}");
            int to = int.Parse(await server.LineAsync().ConfigureAwait(false), CultureInfo.InvariantCulture);
            IReadOnlyList<Relay> peers = Relay.All(folder, Flows + 100, out _);
            Console.WriteLine($"| relay | 0 flows | {Fewer:N0} | {Flows:N0} | a flow more | answered afterwards |\n| --- | --- | --- | --- | --- | --- |");
            foreach (Relay relay in (Relay[])[Relay.Ours("keepalive gateway, ftp, probing every 30 s", "ftp"), .. peers])
            {
                // socat forks a process a connection, the sockmap has two threads each, and HAProxy sets descriptors aside for pipes that nobody needs here.
                if (relay.Start is not null && relay.Name is not (Relay.ForkingName or Relay.SplicedName or Relay.SockmapName)) await MeasureAsync(relay, to).ConfigureAwait(false);
            }

            Console.WriteLine($"\n| {Flows:N0} idle FTP sessions | of one core, over {Watched.TotalSeconds:0} s |\n| --- | --- |");
            await MeasureCpuAsync(Relay.Ours("kernel keepalive on both legs and a NOOP each, every 30 s", "ftp", "--tcp", "30:3:10", "--probe", "30:3:10"), to).ConfigureAwait(false);
            await MeasureCpuAsync(Relay.Ours("both off", "ftp", "--tcp", "off", "--probe", "off"), to).ConfigureAwait(false);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(Relay relay, int to)
    {
        int listen = Relay.FreePort();
        using Peer process = await StartAsync(relay, listen, to).ConfigureAwait(false);
        long empty = Machine.ResidentKiB(process.Pid);
        using Peer few = await OpenAsync(listen, Fewer).ConfigureAwait(false);
        long fewer = Machine.ResidentKiB(process.Pid);
        using Peer most = await OpenAsync(listen, Flows - Fewer).ConfigureAwait(false);
        long full = Machine.ResidentKiB(process.Pid);
        int answered = await few.AskAsync().ConfigureAwait(false) + await most.AskAsync().ConfigureAwait(false);
        double each = (full - fewer) / (double)(Flows - Fewer);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {relay.Name} | {empty / 1024.0:0.0} MiB | {fewer / 1024.0:0.0} MiB | {full / 1024.0:0.0} MiB | {each:0.00} KiB | {answered:N0} of {Flows:N0} |"));
    }

    private static async Task MeasureCpuAsync(Relay relay, int to)
    {
        int listen = Relay.FreePort();
        using Peer process = await StartAsync(relay, listen, to).ConfigureAwait(false);
        using Peer clients = await OpenAsync(listen, Flows).ConfigureAwait(false);
        double before = Machine.CpuSeconds(process.Pid);
        await Task.Delay(Watched).ConfigureAwait(false);
        double used = Machine.CpuSeconds(process.Pid) - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {relay.Name} | {used / Watched.TotalSeconds * 100:0.00} % |"));
    }

    private static async Task<Peer> StartAsync(Relay relay, int listen, int to)
    {
        Peer process = relay.Start!(listen, to);
        process.Drain();
        await Relay.ReadyAsync(listen).ConfigureAwait(false);
        await Task.Delay(Settles).ConfigureAwait(false);
        return process;
    }

    private static async Task<Peer> OpenAsync(int listen, int flows)
    {
        Peer clients = Peer.Start(Environment.ProcessPath!, "idle-clients", $"{listen}", $"{flows}");
        await clients.LineAsync().ConfigureAwait(false);
        await Task.Delay(Settles).ConfigureAwait(false);
        return clients;
    }
}
