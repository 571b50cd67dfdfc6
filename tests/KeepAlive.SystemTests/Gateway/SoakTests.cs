using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>
/// Much data over many flows at once: pieces of any size, readers that stop, ends that close before the other or reset in the midst.
/// Every byte that arrives is checked, and afterwards nothing is left behind. <c>./soak</c> moves more.
/// </summary>
[Collection(Alone.Name)] // descriptors and the heap are the process's
public sealed class SoakTests
{
    private const int Parallel = 6;
    private const int ManagedMiBMax = 8;

    // What the runtime has open comes and goes, and empty pipes are kept to be used again: two descriptors each, 32 a loop.
    private static readonly int DescriptorsMax = 20 + (64 * Environment.ProcessorCount);

    // KEEPALIVE_SOAK_GB is the script's.
    private static readonly long TotalBytes = long.Parse(Environment.GetEnvironmentVariable("KEEPALIVE_SOAK_GB") ?? "2", CultureInfo.InvariantCulture) << 30;

    private readonly Lock _pairing = new();
    private long _moved;
    private int _resets;

    [Fact]
    public async Task Every_byte_arrives_and_nothing_is_left_behind()
    {
        int descriptors = Descriptors();
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        await using (var bench = new Bench("tcp", told: _ => false))
        {
            await Task.WhenAll(Enumerable.Range(0, Parallel).Select(worker => Task.Run(() => WorkAsync(bench, new Random(worker)))));
            for (DateTime patience = DateTime.UtcNow + Bench.Patience; bench.Gateway.Flows > 0; await Task.Delay(20))
                Assert.True(DateTime.UtcNow < patience, $"{bench.Gateway.Flows} flows are still open");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_moved / 1e9:0.0} GB both ways, {_resets} resets"));
        Assert.True(_resets > 0, "nobody reset: nothing was tried");
        for (DateTime patience = DateTime.UtcNow + Bench.Patience; Descriptors() > descriptors + DescriptorsMax; await Task.Delay(50))
            Assert.True(DateTime.UtcNow < patience, $"{descriptors} descriptors before, {Descriptors()} afterwards");
        // The 16 MB of one reset are on a thread's stack until that has other work.
        long grown;
        for (DateTime patience = DateTime.UtcNow + Bench.Patience; (grown = (GC.GetTotalMemory(forceFullCollection: true) - managed) >> 20) > ManagedMiBMax; await Task.Delay(50))
            Assert.True(DateTime.UtcNow < patience, $"{grown} MiB more on the heap than before");
    }

    private async Task WorkAsync(Bench bench, Random random)
    {
        while (Interlocked.Read(ref _moved) < TotalBytes)
        {
            (Socket client, Socket server) = Pair(bench);
            using (client)
            using (server)
            {
                int fate = random.Next(8);
                long up = Bytes(random), down = fate == 0 ? 0 : Bytes(random);
                if (fate == 1) await ResetAsync(random.Next(2) == 0 ? client : server, client, server, random.Next());
                else await ExchangeAsync(client, server, up, down, random.Next());
            }
        }
    }

    // One after another, so that a client's other end is known.
    private (Socket Client, Socket Server) Pair(Bench bench)
    {
        lock (_pairing)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(bench.Gateway.Listening);
            return (client, bench.Server.Accept());
        }
    }

    // From nothing to 64 MB, small ones as often as large ones.
    private static long Bytes(Random random) => (long)Math.Pow(2, random.NextDouble() * 26);

    private async Task ExchangeAsync(Socket client, Socket server, long up, long down, int seed)
    {
        Task<string>[] work =
        [
            SendAsync(client, up, new Random(seed)), SendAsync(server, down, new Random(seed + 1)),
            ReceiveAsync(server, seed % 3), ReceiveAsync(client, seed % 5),
        ];
        string[] sums = await Task.WhenAll(work).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal((sums[0], sums[1]), (sums[2], sums[3]));
        Interlocked.Add(ref _moved, up + down);
    }

    // What arrives before a reset is the beginning of what was sent.
    private async Task ResetAsync(Socket resets, Socket client, Socket server, int seed)
    {
        byte[] sent = new byte[8 << 20], got = new byte[sent.Length + 1]; // room for one more, as reading into none would look like an end
        new Random(seed).NextBytes(sent);
        Task<Exception?> sending = Record.ExceptionAsync(() => SendAllAsync(client, sent)).AsTask();
        int at = 0, until = new Random(seed).Next(1, sent.Length / 2);
        while (at < until) at += await server.ReceiveAsync(got.AsMemory(at));
        resets.Reset();
        if (resets == client)
        {
            SocketException? end = null;
            try
            {
                for (int read; (read = await server.ReceiveAsync(got.AsMemory(at)).AsTask().WaitAsync(Bench.Patience)) > 0;) at += read;
            }
            catch (SocketException e)
            {
                end = e;
            }

            Assert.Equal(SocketError.ConnectionReset, end?.SocketErrorCode);
        }

        Assert.NotNull(await sending.WaitAsync(Bench.Patience));
        Assert.True(got.AsSpan(0, at).SequenceEqual(sent.AsSpan(0, at)), "what arrived is not what was sent");
        Interlocked.Add(ref _moved, at);
        Interlocked.Increment(ref _resets);
    }

    private static async Task SendAllAsync(Socket socket, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length;) at += await socket.SendAsync(bytes.AsMemory(at));
        // It fitted into buffers: a reset is met by the next.
        while (await socket.ReceiveAsync(new byte[1]) > 0)
        {
        }

        throw new EndOfStreamException();
    }

    private static async Task<string> SendAsync(Socket socket, long bytes, Random random)
    {
        byte[] source = new byte[1 << 20];
        random.NextBytes(source);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = bytes; left > 0;)
        {
            // Mostly much at once, often a few bytes.
            int size = (int)Math.Min(left, random.Next(4) == 0 ? random.Next(1, 100) : random.Next(1, source.Length));
            int at = random.Next(source.Length - size + 1);
            sum.AppendData(source, at, size);
            for (int sent = 0; sent < size;) sent += await socket.SendAsync(source.AsMemory(at + sent, size - sent));
            left -= size;
        }

        socket.Shutdown(SocketShutdown.Send);
        return Convert.ToHexString(sum.GetHashAndReset());
    }

    private static async Task<string> ReceiveAsync(Socket socket, int pauseMs)
    {
        byte[] buffer = new byte[256 * 1024];
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int reads = 0;
        for (int read; (read = await socket.ReceiveAsync(buffer)) > 0;)
        {
            sum.AppendData(buffer, 0, read);
            if (pauseMs > 0 && ++reads % 64 == 0) await Task.Delay(pauseMs);
        }

        return Convert.ToHexString(sum.GetHashAndReset());
    }

    private static int Descriptors() => Directory.GetFiles("/proc/self/fd").Length;
}
