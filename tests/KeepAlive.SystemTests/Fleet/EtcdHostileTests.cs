using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Sockets;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>The client and whoever else listens at the port: whatever bytes come, it is an <see cref="EtcdException"/>, in bounded memory.</summary>
public sealed class EtcdHostileTests
{
    private const string Good = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Range = """{"header":{"revision":"2"},"kvs":[{"key":"L2E=","create_revision":"2","mod_revision":"2","version":"1","value":"dg=="}],"count":"1"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_answers_it_is_told_in_one_line()
    {
        byte[] whole = Encoding.ASCII.GetBytes($"{Good}{Range.Length:x}\r\n{Range}\r\n0\r\n\r\n");
        var random = new Random(20260101);
        byte[] next = whole;
        await using var server = new AnyServer(async socket => await socket.SendAsync(next));
        for (int round = 0; round < 300; round++)
        {
            next = Mutated(whole, random);
            using var etcd = new EtcdClient(Options(server));
            try
            {
                await etcd.ReadAsync(new EtcdQuery("/a"), Cancel);
            }
            catch (EtcdException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    public async Task An_answer_without_an_end_has_one()
    {
        byte[] endless = Encoding.ASCII.GetBytes($"{0x10000:x}\r\n{new string(' ', 0x10000)}\r\n");
        await using var server = new AnyServer(async socket =>
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(Good));
            while (true) await socket.SendAsync(endless);
        });
        using var etcd = new EtcdClient(Options(server) with { CallTimeout = TimeSpan.FromSeconds(30) });
        await EtcdClientTests.FailsAsync(EtcdFault.NotEtcd, "its answer is longer than 64 MiB", () => etcd.ReadAsync(new EtcdQuery("/"), Cancel));
        await EtcdClientTests.FailsAsync(EtcdFault.NotEtcd, "its answer is longer than 16 MiB", async () => await new FollowedWatch(etcd, "/", 0).NextAsync());
    }

    private static EtcdOptions Options(AnyServer server) => new() { Endpoints = [server.Endpoint], CallTimeout = TimeSpan.FromSeconds(5) };

    private static byte[] Mutated(byte[] whole, Random random)
    {
        byte[] bytes = [.. whole.AsSpan(0, random.Next(4) == 0 ? random.Next(whole.Length) : whole.Length)];
        if (random.Next(10) == 0) random.NextBytes(bytes);
        for (int n = random.Next(4); n > 0 && bytes.Length > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    /// <summary>Reads a request, answers whatever it is to, and closes.</summary>
    private sealed class AnyServer : IAsyncDisposable
    {
        private readonly Socket _listener = Loopback.Listen(IPAddress.Loopback);
        private readonly Func<Socket, Task> _answer;
        private readonly Task _serving;

        public AnyServer(Func<Socket, Task> answer) => (_answer, _serving) = (answer, ServeAsync());

        public Uri Endpoint => new($"http://{_listener.LocalEndPoint}");

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _serving.WaitAsync(TimeSpan.FromSeconds(10));
        }

        private async Task ServeAsync()
        {
            byte[] request = new byte[4096];
            try
            {
                while (true)
                {
                    using Socket socket = await _listener.AcceptAsync();
                    try
                    {
                        // The head, and the object that is the body.
                        int read = 0;
                        while (!request.AsSpan(0, read).EndsWith("}"u8) && await socket.ReceiveAsync(request.AsMemory(read)) is var more and > 0) read += more;
                        await _answer(socket);
                        socket.Shutdown(SocketShutdown.Send);
                        while (await socket.ReceiveAsync(request) > 0)
                        {
                        }
                    }
                    catch (SocketException)
                    {
                        // The client has closed it.
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The listener is closed.
            }
        }
    }
}
