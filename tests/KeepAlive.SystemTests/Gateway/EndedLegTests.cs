using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A leg may end in one direction only: the other goes on, and its death is still found.</summary>
public class EndedLegTests : GatewayTests
{
    private static readonly KeepAliveSpec Quick = KeepAliveSpec.Parse("1:1:1");

    [Fact]
    public async Task After_a_servers_FIN_the_client_may_still_send_all_it_has()
    {
        await using var bench = NewBench("tcp");
        (Line client, Line server) = await bench.PairAsync();
        server.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await client.EndAsync());
        byte[] sent = RandomNumberGenerator.GetBytes(4 << 20), got = new byte[sent.Length];
        Task send = client.Socket.SendAsync(sent);
        for (int at = 0; at < got.Length;) at += await server.Socket.ReceiveAsync(got.AsMemory(at)).AsTask().WaitAsync(Bench.Patience);
        await send;
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(got));
        client.Dispose();
        Assert.Equal(SocketError.Success, await server.EndAsync());
        Assert.Equal($"{sent.Length} bytes up, 0 bytes down", (await bench.EventAsync(FlowEventKind.Closed)).Text);
    }

    [Theory]
    [InlineData(Leg.Downstream, "tcp", true)]
    [InlineData(Leg.Upstream, "tcp", true)]
    [InlineData(Leg.Downstream, "tcp", false)]
    [InlineData(Leg.Downstream, "ftp", true)]
    public async Task A_peer_that_dies_after_its_FIN_is_found_though_nobody_reads_it_any_more(object dyingValue, string protocol, bool watched)
    {
        var dying = (Leg)dyingValue;
        await using var bench = NewBench(protocol, o => o with
        {
            Tcp = Quick,
            Probe = KeepAliveSpec.Off,
            UserTimeout = watched ? UserTimeout.Derived : UserTimeout.Of(TimeSpan.FromSeconds(1)),
        });
        (Line client, Line server) = await bench.PairAsync();
        await bench.EventAsync(FlowEventKind.Connected);
        (Line dies, Line stays) = dying == Leg.Downstream ? (client, server) : (server, client);
        dies.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await stays.Socket.ReceiveAsync(new byte[1]).WaitAsync(Bench.Patience));
        dies.Socket.Reset();
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(dying, died.Leg);
        Assert.Contains("after its FIN", died.Text, StringComparison.Ordinal);
        await bench.EventAsync(FlowEventKind.Closed);
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true) await stays.SayAsync("anybody?");
        });
    }

    [Fact]
    public async Task A_client_that_dies_after_the_end_of_its_upload_takes_the_data_connection_with_it()
    {
        await using var bench = NewBench("ftp", o => o with { Tcp = Quick, Probe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line data = await DataEnds.DialAsync(await DataEnds.PassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        data.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await far.EndAsync());
        data.Socket.Reset();
        Assert.Contains("broken: downstream", (await bench.EventAsync(FlowEventKind.DataClosed)).Text, StringComparison.Ordinal);
    }
}
