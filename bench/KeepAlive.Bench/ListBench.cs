using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Diag;

namespace KeepAlive.Bench;

/// <summary>
/// <c>keepalive list</c> of 18,000 sockets beside ss(8), which shows owners but not the options. In a network namespace of
/// its own, the sockets held by two processes; as root.
/// </summary>
internal static class ListBench
{
    private const int Holders = 2;
    private const int Each = 9000;
    private const int Rounds = 15;

    /// <summary>Begins again inside a namespace.</summary>
    public static int Run()
    {
        Console.Write(WallTime.Output("unshare", "--net", Environment.ProcessPath!, "list-inside"));
        return 0;
    }

    public static async Task<int> RunInsideAsync()
    {
        WallTime.Output("ip", "link", "set", "lo", "up");
        Peer[] holders = [.. Enumerable.Range(0, Holders).Select(_ => Peer.Start(Environment.ProcessPath!, "list-holder", $"{Each}"))];
        try
        {
            foreach (Peer holder in holders) await holder.LineAsync().ConfigureAwait(false);
            string program = Machine.Program;
            int rows = WallTime.Output("ss", "-tnH").Split('\n').Length - 1, ours = WallTime.Output(program, "list").Split('\n').Length - 2;
            Console.WriteLine($"{Machine.Describe()}; {rows:N0} sockets of {Holders} processes, {ours:N0} listed; {Rounds} rounds, median (minimum to maximum)\n");
            WallTime[] times = WallTime.Of(Rounds, [program, "list"], ["ss", "-tnop"], ["ss", "-tnoe"], ["ss", "-tn"], [program, "list", "--json"], [program, "--version"]);
            var dump = WallTime.Of(Rounds, () => Expect(rows, InetDiag.Dump(TcpStates.Lasting).Count));
            var iterator = WallTime.Of(Rounds, () => Expect(rows, TcpIterator.Read().Count));
            var both = WallTime.Of(Rounds, () => { InetDiag.Dump(TcpStates.Lasting); TcpIterator.Read(); });
            Console.WriteLine("| whole command, start-up included | wall | against `ss -tnop` |\n| --- | --- | --- |");
            string[] names = ["`keepalive list`: owners, all real values, verdicts", "`ss -tnop`: owners, timer", "`ss -tnoe`", "`ss -tn`", "`keepalive list --json`", "`keepalive --version`: start-up alone"];
            foreach ((string name, WallTime time) in names.Zip(times)) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {time} | {time.Median / times[1].Median:0.00} |"));
            Console.WriteLine("\n| kernel read alone, in a process that runs already | wall | against `ss -tnoe` |\n| --- | --- | --- |");
            foreach ((string name, WallTime time) in ((string, WallTime)[])[("inet_diag with tcp_info", dump), ("BPF iterator: the options", iterator), ("both", both)])
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {time} | {time.Median / times[2].Median:0.00} |"));
            return 0;
        }
        finally
        {
            foreach (Peer holder in holders) holder.Dispose();
        }
    }

    /// <summary>Holds so many connected sockets, half of them with keepalive on, until stdin ends.</summary>
    public static async Task<int> HoldAsync(int count)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1024);
        var held = new List<Socket>();
        for (int i = 0; i < count / 2; i++)
        {
            var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await near.ConnectAsync(listener.LocalEndPoint!).ConfigureAwait(false);
            near.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30 + (i % 600));
            near.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            held.Add(near);
            held.Add(await listener.AcceptAsync().ConfigureAwait(false));
        }

        Console.WriteLine("ready");
        await Console.In.ReadLineAsync().ConfigureAwait(false);
        GC.KeepAlive(held);
        return 0;
    }

    private static void Expect(int wanted, int found)
    {
        if (found < wanted) throw new InvalidOperationException($"{found} of {wanted} sockets were read");
    }
}
