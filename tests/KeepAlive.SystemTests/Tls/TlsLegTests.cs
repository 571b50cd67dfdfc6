using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Gateway;

namespace KeepAlive.SystemTests.Tls;

/// <summary>What passes through legs inside TLS, and how they end.</summary>
public class TlsLegTests : TlsGatewayTests
{
    private const int Megabytes = 100;

    // Much is copied and encrypted here while others' processes start.
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    public static TheoryData<Legs> Rows => [Legs.Downstream, Legs.Upstream, Legs.Both];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Lines_pass_both_ways_and_each_end_closes_by_itself(Legs legs)
    {
        await using var bench = NewTlsBench(legs);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, legs);
        await client.SayAsync("up");
        Assert.Equal("up", await server.HearAsync());
        await client.EndAsync();
        Assert.True(await server.IsEndedAsync());
        await server.SayAsync("still here");
        Assert.Equal("still here", await client.HearAsync());
        await server.EndAsync();
        Assert.True(await client.IsEndedAsync());
        FlowEvent closed = await bench.EventAsync(FlowEventKind.Closed);
        Assert.Equal("4 bytes up, 12 bytes down", closed.Text);
        Assert.DoesNotContain(bench.Seen, e => e.Kind is FlowEventKind.Notice or FlowEventKind.Died);
        Assert.Equal(legs.HasFlag(Legs.Upstream), bench.Seen.Single(e => e.Kind == FlowEventKind.Connected).Text.EndsWith(", TLS 1.3", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_hundred_megabytes_arrive_as_they_were_sent(Legs legs)
    {
        await using var bench = NewTlsBench(legs);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, legs);
        Task<(long, string)> atServer = ReadAllAsync(server), atClient = ReadAllAsync(client);
        Task<string> up = WriteAsync(client, Megabytes << 20, 1), down = WriteAsync(server, Megabytes << 18, 2);
        Assert.Equal(((long)Megabytes << 20, await up), await atServer);
        Assert.Equal(((long)Megabytes << 18, await down), await atClient);
        await bench.EventAsync(FlowEventKind.Closed);
    }

    [Theory]
    [InlineData(Legs.Both, true)]
    [InlineData(Legs.Both, false)]
    [InlineData(Legs.Upstream, false)]
    public async Task A_reset_passes_and_the_event_says_whose_it_was(Legs legs, bool fromServer)
    {
        await using var bench = NewTlsBench(legs);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, legs);
        await client.SayAsync("x");
        await server.HearAsync();
        (fromServer ? server : client).Socket.Reset();
        Assert.False(await (fromServer ? client : server).IsEndedAsync());
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(fromServer ? Leg.Upstream : Leg.Downstream, died.Leg);
        Assert.Contains("ECONNRESET", died.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_without_close_notify_is_passed_on_and_told()
    {
        await using var bench = NewTlsBench(Legs.Upstream);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, Legs.Upstream);
        await server.SayAsync("bye");
        server.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye", await client.HearAsync());
        Assert.True(await client.IsEndedAsync());
        FlowEvent told = await bench.EventAsync(FlowEventKind.Notice);
        Assert.Equal(Leg.Upstream, told.Leg);
        Assert.StartsWith("ended without TLS's close_notify", told.Text, StringComparison.Ordinal);
        await client.EndAsync();
        await bench.EventAsync(FlowEventKind.Closed);
    }

    [Theory]
    [InlineData("garbage that is no record of TLS", "TLS: an alert, a broken record")]
    [InlineData("\x17\x03\x03\x00\x05half", "TLS: an alert, a broken record")]
    public async Task What_is_not_TLS_any_more_ends_the_flow(string bytes, string said)
    {
        await using var bench = NewTlsBench(Legs.Both);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, Legs.Both);
        await client.Socket.SendAsync(bytes.Select(c => (byte)c).ToArray());
        client.Socket.Shutdown(SocketShutdown.Send);
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(Leg.Downstream, died.Leg);
        Assert.StartsWith(said, died.Text, StringComparison.Ordinal);
        Assert.False(await server.IsEndedAsync());
    }

    [Fact]
    public async Task A_reader_that_pauses_holds_its_writer_back_and_is_not_taken_for_dead()
    {
        await using var bench = NewTlsBench(Legs.Both, change: o => o with { Tcp = KeepAliveSpec.Parse("1:1:1") });
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, Legs.Both);
        Task<string> write = WriteAsync(client, Megabytes << 20, 3);
        await Task.Delay(TimeSpan.FromSeconds(3)); // the pause itself is what is tried
        Assert.False(write.IsCompleted, "all of it went into buffers: nothing held the writer back");
        (long length, string hash) = await ReadAllAsync(server);
        Assert.Equal(((long)Megabytes << 20, await write), (length, hash));
    }

    [Fact]
    public async Task Stopping_resets_what_stays()
    {
        await using var bench = NewTlsBench(Legs.Both);
        (TlsEnd client, _) = await TlsPairAsync(bench, Legs.Both);
        await bench.EventAsync(FlowEventKind.Connected);
        Assert.Equal(1, await bench.Gateway.StopAsync(TimeSpan.Zero).WaitAsync(Bench.Patience));
        Assert.False(await client.IsEndedAsync());
    }

    [Fact]
    public async Task Its_own_chain_is_sent_and_plain_text_is_not()
    {
        await using var bench = NewTlsBench(Legs.Downstream, "redis", o => o with { MaxFlows = 1 });
        await TlsPairAsync(bench, Legs.Downstream); // whose client trusts the root alone
        using Line second = await bench.ConnectAsync();
        byte[] heard = new byte[16];
        Assert.Equal(0, await second.Socket.ReceiveAsync(heard).WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.Refused);
    }

    private static async Task<string> WriteAsync(TlsEnd end, int length, int seed)
    {
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[200_000];
        for (int left = length; left > 0;)
        {
            int next = Math.Min(left, random.Next(1, block.Length));
            random.NextBytes(block.AsSpan(0, next));
            hash.AppendData(block, 0, next);
            await end.Stream.WriteAsync(block.AsMemory(0, next)).AsTask().WaitAsync(TimeMax);
            left -= next;
        }

        await end.EndAsync();
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<(long Length, string Hash)> ReadAllAsync(TlsEnd end)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[100_000];
        long length = 0;
        while (await end.Stream.ReadAsync(buffer).AsTask().WaitAsync(TimeMax) is var read and > 0)
        {
            hash.AppendData(buffer, 0, read);
            length += read;
        }

        return (length, Convert.ToHexString(hash.GetHashAndReset()));
    }
}

/// <summary>The same where the portable engine accepts.</summary>
public sealed class PortableTlsLegTests : TlsLegTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}
