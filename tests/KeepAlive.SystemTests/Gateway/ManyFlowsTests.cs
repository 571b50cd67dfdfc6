using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Thousands of idle FTP sessions through one gateway process, at the limit of its descriptors.</summary>
public sealed class ManyFlowsTests
{
    private const int Flows = 9000;
    private const int Killed = 1000;
    private const int FlowKiBMax = 24;

    [Fact]
    public async Task Nine_thousand_idle_sessions_all_answer_and_a_thousand_killed_at_once_are_closed_in_time()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { BindingTimeout = TimeSpan.FromHours(1) });
        // The gateway is on the server's side here, so that its clients can be cut off from it; the server is in this process.
        using var server = new TinyFtpServer(await lab.Server.InsideAsync(() => Listen(IPAddress.Loopback)));
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(
            lab.Server, "127.0.0.1", server.Port, IPAddress.Any, "--protocol", "ftp", "--tcp", "2:3:1", "--probe", "60:3:10");
        long empty = ResidentKiB(gateway.Id);

        List<Socket> near = await OpenAsync(lab.Server, IPAddress.Loopback, gateway.Port, Flows - Killed);
        List<Socket> far = await OpenAsync(lab.Client, lab.Server.Address, gateway.Port, Killed);
        double each = (ResidentKiB(gateway.Id) - empty) / (double)Flows;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Flows} idle FTP sessions: {each:0.00} KiB resident each"));
        Assert.True(each < FlowKiBMax, $"{each:0.0} KiB a session");

        await lab.SwallowEverythingAsync();
        var watch = Stopwatch.StartNew();
        // Detection: 2 s of silence, three probes a second apart. The margin is for a busy machine.
        await server.EndedAsync(Killed, TimeSpan.FromSeconds(5 + 5));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Killed} of them killed at once: all closed on the server's side after {watch.Elapsed.TotalSeconds:0.0} s"));
        await gateway.WaitForAsync("died", Killed, TimeSpan.FromSeconds(10));

        foreach (Socket socket in near) Assert.StartsWith("257", await AskAsync(socket, "PWD"), StringComparison.Ordinal);
        foreach (Socket socket in (Socket[])[.. near, .. far]) socket.Dispose();
        Assert.Equal(0, await gateway.StopAsync());
    }

    private static async Task<List<Socket>> OpenAsync(NetworkSpace space, IPAddress address, int port, int count)
    {
        var sockets = new List<Socket>(count);
        for (int done = 0; done < count; done += 500)
        {
            Socket[] batch = await space.InsideAsync(() => Enumerable.Range(0, Math.Min(500, count - done))
                .Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToArray());
            foreach (Socket socket in batch)
            {
                sockets.Add(socket);
                await socket.ConnectAsync(address, port).WaitAsync(Bench.Patience);
                await ReplyAsync(socket);
                Assert.StartsWith("230", await AskAsync(socket, "USER u"), StringComparison.Ordinal);
            }
        }

        return sockets;
    }

    private static async Task<string> AskAsync(Socket socket, string command)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        return await ReplyAsync(socket);
    }

    private static async Task<string> ReplyAsync(Socket socket)
    {
        byte[] reply = new byte[64];
        return Encoding.ASCII.GetString(reply, 0, await socket.ReceiveAsync(reply).WaitAsync(Bench.Patience));
    }

    private static long ResidentKiB(int pid) => long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private static Socket Listen(IPAddress address)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen(4096);
        return listener;
    }

    /// <summary>Logs everybody in and answers every command; tells how many sessions have ended.</summary>
    private sealed class TinyFtpServer : IDisposable
    {
        private readonly Socket _listener;
        private readonly SemaphoreSlim _ended = new(0);

        public TinyFtpServer(Socket listener)
        {
            _listener = listener;
            Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            _ = AcceptAsync();
        }

        public int Port { get; }

        public async Task EndedAsync(int count, TimeSpan within)
        {
            using var limit = new CancellationTokenSource(within);
            for (int i = 0; i < count; i++)
            {
                try
                {
                    await _ended.WaitAsync(limit.Token);
                }
                catch (OperationCanceledException)
                {
                    Assert.Fail($"{i} of {count} sessions had ended after {within.TotalSeconds} s");
                }
            }
        }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                // The first is the gateway's own look at its start.
                (await _listener.AcceptAsync()).Dispose();
                while (true) _ = ServeAsync(await _listener.AcceptAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Disposed.
            }
        }

        private async Task ServeAsync(Socket client)
        {
            using Socket session = client;
            byte[] command = new byte[64];
            try
            {
                await session.SendAsync("220 ready\r\n"u8.ToArray());
                while (await session.ReceiveAsync(command) is var read and > 0)
                    await session.SendAsync(command.AsSpan(0, read).StartsWith("USER"u8) ? "230 in\r\n"u8.ToArray() : "257 \"/\"\r\n"u8.ToArray());
            }
            catch (SocketException)
            {
                // Reset by the gateway.
            }

            _ended.Release();
        }
    }
}
