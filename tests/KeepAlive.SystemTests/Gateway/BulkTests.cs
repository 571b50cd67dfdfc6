using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Much data through a plain relay: whole, in order, and nothing of it left behind.</summary>
[Collection(Alone.Name)] // descriptors are the process's
public sealed class BulkTests
{
    private const long Bytes = 300L << 20;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 2)] // now and then a reader stops for as many milliseconds: what is under way must wait, and go on
    public async Task Both_ways_at_once_in_pieces_of_any_size(int seed, int pauseMs)
    {
        await using var bench = new Bench("tcp");
        (Line client, Line server) = await bench.PairAsync();
        Task<string>[] work =
        [
            SendAsync(client.Socket, new Random(seed)), SendAsync(server.Socket, new Random(seed + 100)),
            ReceiveAsync(server.Socket, pauseMs), ReceiveAsync(client.Socket, pauseMs),
        ];
        string[] sums = await Task.WhenAll(work).WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal((sums[0], sums[1]), (sums[2], sums[3]));
        Assert.Contains($"{Bytes} bytes up, {Bytes} bytes down", (await bench.EventAsync(FlowEventKind.Closed)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reset_in_the_midst_of_much_frees_everything()
    {
        int before = Directory.GetFiles("/proc/self/fd").Length;
        await using (var bench = new Bench("tcp"))
        {
            for (int i = 0; i < 40; i++)
            {
                (Line client, Line server) = await bench.PairAsync();
                Task<string> sending = SendAsync(client.Socket, new Random(i));
                _ = await server.Socket.ReceiveAsync(new byte[1 << 20]);
                (i % 2 == 0 ? client : server).Socket.Reset();
                await Assert.ThrowsAnyAsync<Exception>(() => sending.WaitAsync(Bench.Patience));
                await bench.EventAsync(FlowEventKind.Closed);
            }
        }

        // What the runtime has open comes and goes, and empty pipes are kept to be used again; eighty sockets do not hide in that.
        for (DateTime patience = DateTime.UtcNow + Bench.Patience; Directory.GetFiles("/proc/self/fd").Length > before + 70; await Task.Delay(50))
            Assert.True(DateTime.UtcNow < patience, $"{before} descriptors before, {Directory.GetFiles("/proc/self/fd").Length} afterwards");
    }

    private static async Task<string> SendAsync(Socket socket, Random random)
    {
        byte[] source = new byte[1 << 20];
        random.NextBytes(source);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = Bytes; left > 0;)
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
}
