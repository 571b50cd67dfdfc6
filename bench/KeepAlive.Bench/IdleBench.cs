using System.Globalization;
using KeepAlive.Bench.Load;

namespace KeepAlive.Bench;

/// <summary>
/// Resident memory of 9,000 idle FTP sessions: our gateway, inspecting and probing them, beside HAProxy, which relays
/// bytes. Each relay in its own process; sessions are used again at the end, so that none counts that is not alive.
/// </summary>
internal static class IdleBench
{
    private const int Flows = 9000;
    private const int Fewer = 1000;

    public static async Task<int> RunAsync()
    {
        string gateway = Path.Combine(Machine.Root, "artifacts/bin/KeepAlive.App/release/keepalive");
        Console.WriteLine($"{Machine.Describe()}; resident memory (VmRSS)\n");
        Console.WriteLine($"| relay | {0} flows | {Fewer:N0} | {Flows:N0} | a flow | answered afterwards |\n| --- | --- | --- | --- | --- | --- |");
        using Peer server = Peer.Start(Environment.ProcessPath!, "idle-server", $"{Flows}");
        string port = await server.LineAsync().ConfigureAwait(false);
        await MeasureAsync("keepalive gateway, ftp, probing every 30s", listen =>
            Peer.Start(gateway, "gateway", "--listen", $"127.0.0.1:{listen}", "--to", $"127.0.0.1:{port}", "--protocol", "ftp")).ConfigureAwait(false);
        await MeasureAsync("keepalive gateway, tcp", listen =>
            Peer.Start(gateway, "gateway", "--listen", $"127.0.0.1:{listen}", "--to", $"127.0.0.1:{port}", "--protocol", "tcp")).ConfigureAwait(false);
        string folder = Directory.CreateTempSubdirectory("keepalive-bench-").FullName;
        try
        {
            if (Relay.Haproxy(folder, Flows + 100) is not { } haproxy) Console.WriteLine("| HAProxy | not installed: eng/test-servers brings it | | | | |");
            else await MeasureAsync("HAProxy, tcp", listen => haproxy(listen, int.Parse(port, CultureInfo.InvariantCulture))).ConfigureAwait(false);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string name, Func<int, Peer> start)
    {
        int listen = Relay.FreePort();
        using Peer relay = start(listen);
        relay.Drain();
        await Relay.ReadyAsync(listen).ConfigureAwait(false);
        long empty = Machine.ResidentKiB(relay.Pid);
        using Peer few = Peer.Start(Environment.ProcessPath!, "idle-clients", $"{listen}", $"{Fewer}");
        await few.LineAsync().ConfigureAwait(false);
        long fewer = Machine.ResidentKiB(relay.Pid);
        using Peer most = Peer.Start(Environment.ProcessPath!, "idle-clients", $"{listen}", $"{Flows - Fewer}");
        await most.LineAsync().ConfigureAwait(false);
        long full = Machine.ResidentKiB(relay.Pid);
        int answered = await few.AskAsync().ConfigureAwait(false) + await most.AskAsync().ConfigureAwait(false);
        double each = (full - empty) / (double)Flows;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {empty / 1024.0:0.0} MiB | {fewer / 1024.0:0.0} MiB | {full / 1024.0:0.0} MiB | {each:0.00} KiB | {answered:N0} of {Flows:N0} |"));
    }
}
