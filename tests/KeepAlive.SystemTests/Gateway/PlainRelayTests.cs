using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

public class PlainRelayTests : GatewayTests
{
    private const int Megabytes = 32;

    [Fact]
    public async Task Bytes_pass_both_ways_at_once_and_each_end_closes_by_itself()
    {
        await using var bench = NewBench("tcp");
        (Line client, Line server) = await bench.PairAsync();
        using (client)
        using (server)
        {
            byte[] up = RandomNumberGenerator.GetBytes(Megabytes << 20), down = RandomNumberGenerator.GetBytes(Megabytes << 20);
            Task<byte[]> atServer = ReadAllAsync(server.Socket), atClient = ReadAllAsync(client.Socket);
            await Task.WhenAll(WriteAsync(client.Socket, up, 1), WriteAsync(server.Socket, down, 2));
            Assert.True((await atServer).AsSpan().SequenceEqual(up));
            Assert.True((await atClient).AsSpan().SequenceEqual(down));
        }

        FlowEvent closed = await bench.EventAsync(FlowEventKind.Closed);
        Assert.Equal($"{Megabytes << 20} bytes up, {Megabytes << 20} bytes down", closed.Text);
    }

    [Fact]
    public async Task After_a_clients_FIN_the_server_may_still_speak()
    {
        await using var bench = NewBench("tcp");
        (Line client, Line server) = await bench.PairAsync();
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await server.EndAsync());
        await server.SayAsync("still here");
        Assert.Equal("still here", await client.HearAsync());
        server.Dispose();
        Assert.Equal(SocketError.Success, await client.EndAsync());
        await bench.EventAsync(FlowEventKind.Closed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_passes_and_the_event_says_whose_it_was(bool fromServer)
    {
        await using var bench = NewBench("tcp");
        (Line client, Line server) = await bench.PairAsync();
        await client.SayAsync("x");
        await server.HearAsync();
        (fromServer ? server : client).Socket.Reset();
        Assert.Equal(SocketError.ConnectionReset, await (fromServer ? client : server).EndAsync());
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(fromServer ? Leg.Upstream : Leg.Downstream, died.Leg);
        Assert.Contains("ECONNRESET", died.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_pauses_holds_its_writer_back_and_is_not_taken_for_dead()
    {
        // A detection time of 1 s and a pause of three: a user timeout would end it.
        await using var bench = NewBench("tcp", o => o with { Tcp = KeepAliveSpec.Parse("1:1:1") });
        (Line client, Line server) = await bench.PairAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(Megabytes << 20);
        Task write = WriteAsync(client.Socket, sent, 1);
        await Task.Delay(TimeSpan.FromSeconds(3)); // the pause itself is what is tried
        Assert.False(write.IsCompleted, "all of it went into buffers: nothing held the writer back");
        Assert.True((await ReadAllAsync(server.Socket)).AsSpan().SequenceEqual(sent));
        await write;
    }

    [Fact]
    public async Task More_flows_than_allowed_are_refused_and_later_ones_are_not()
    {
        await using var bench = NewBench("ftp", o => o with { MaxFlows = 1 });
        (Line client, Line server) = await bench.PairAsync();
        using (Line refused = await bench.ConnectAsync())
        {
            Assert.StartsWith("421 ", await refused.HearAsync(), StringComparison.Ordinal);
            Assert.Equal(SocketError.Success, await refused.EndAsync());
        }

        Assert.Contains("1 flows are open", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
        client.Dispose();
        server.Dispose();
        await bench.EventAsync(FlowEventKind.Closed);
        while (bench.Gateway.Flows > 0) await Task.Yield();
        (await bench.PairAsync()).Client.Dispose();
    }

    [Fact]
    public async Task IPv6_on_both_legs()
    {
        await using var bench = NewBench("tcp", address: IPAddress.IPv6Loopback);
        (Line client, Line server) = await bench.PairAsync();
        await client.SayAsync("over six");
        Assert.Equal("over six", await server.HearAsync());
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_told_to_the_client_and_the_log()
    {
        // Bound and not listening: refused, and the port is nobody else's meanwhile, as that of a closed listener may be.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var bench = NewBench("ftp", o => o with { To = new HostPort("127.0.0.1", ((IPEndPoint)deaf.LocalEndPoint!).Port) });
        using Line client = await bench.ConnectAsync();
        Assert.StartsWith("421 ", await client.HearAsync(), StringComparison.Ordinal);
        Assert.Contains("Connection refused", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_waits_for_flows_and_resets_those_that_stay()
    {
        await using var bench = NewBench("tcp");
        (Line leaves, Line first) = await bench.PairAsync();
        (Line stays, Line second) = await bench.PairAsync();
        await bench.EventAsync(FlowEventKind.Connected);
        await bench.EventAsync(FlowEventKind.Connected);
        using var second_ = new CancellationTokenSource();
        Task<int> stop = bench.Gateway.StopAsync(TimeSpan.FromMinutes(1), second_.Token);
        leaves.Dispose();
        first.Dispose();
        await bench.EventAsync(FlowEventKind.Closed);
        Assert.False(stop.IsCompleted);
        try
        {
            (await bench.ConnectAsync()).Dispose(); // its port may be somebody else's by now
        }
        catch (SocketException)
        {
            // Refused, as it mostly is.
        }

        await second_.CancelAsync();
        Assert.Equal(1, await stop.WaitAsync(Bench.Patience));
        Assert.Equal(SocketError.ConnectionReset, await stays.EndAsync());
        await bench.EventAsync(FlowEventKind.Closed);
        Assert.Equal(2, bench.Seen.Count(e => e.Kind is FlowEventKind.Opened or FlowEventKind.Refused));
        second.Dispose();
    }

    private static async Task WriteAsync(Socket socket, byte[] bytes, int seed)
    {
        var random = new Random(seed);
        for (int at = 0; at < bytes.Length;)
        {
            int length = Math.Min(bytes.Length - at, random.Next(1, 200_000));
            at += await socket.SendAsync(bytes.AsMemory(at, length));
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReadAllAsync(Socket socket)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[100_000];
        while (await socket.ReceiveAsync(buffer).WaitAsync(Bench.Patience) is var read and > 0) all.Write(buffer, 0, read);
        return all.ToArray();
    }
}
