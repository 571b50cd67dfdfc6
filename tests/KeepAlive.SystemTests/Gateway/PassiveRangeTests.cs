using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The server's passive ports, one to one.</summary>
public class PassiveRangeTests : GatewayTests
{
    // A server elsewhere: its passive ports are taken on our own address.
    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.3");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Of_a_client_with_two_sessions_the_death_of_one_spares_the_others_transfer(int dies)
    {
        using Socket offered = DataEnds.ListenOnLastingPort(Elsewhere);
        int port = DataEnds.PortOf(offered);
        await using var bench = NewBench("ftp", o => o with { PassiveRange = new PortRange(port, port) }, serverAddress: Elsewhere);
        (Line Client, Line Server)[] sessions = [await bench.LogInAsync(), await bench.LogInAsync()];
        foreach ((Line client, Line server) in sessions) await Bench.PassAsync(client, server, "AUTH TLS", "234 go");
        using Line near = await DataEnds.DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        sessions[dies].Client.Socket.Reset();
        await bench.EventAsync(FlowEventKind.Died);
        await bench.EventAsync(FlowEventKind.Closed);
        await DataEnds.TalkAsync(near, far);
    }

    [Fact]
    public async Task Stopping_waits_for_a_transfer_and_resets_it_in_the_end()
    {
        using Socket offered = DataEnds.ListenOnLastingPort(Elsewhere);
        int port = DataEnds.PortOf(offered);
        await using var bench = NewBench("ftp", o => o with { PassiveRange = new PortRange(port, port) }, serverAddress: Elsewhere);
        (Line client, Line server) = await bench.LogInAsync();
        await Bench.PassAsync(client, server, "AUTH TLS", "234 go");
        using Line near = await DataEnds.DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        client.Dispose();
        server.Dispose();
        await bench.EventAsync(FlowEventKind.Closed);

        using var second = new CancellationTokenSource();
        Task<int> stop = bench.Gateway.StopAsync(TimeSpan.FromMinutes(1), second.Token);
        await near.SayAsync("still");
        Assert.Equal("still", await far.HearAsync());
        Assert.False(stop.IsCompleted);
        await second.CancelAsync();
        Assert.Equal(SocketError.ConnectionReset, await far.EndAsync());
        await stop.WaitAsync(Bench.Patience);
    }

    [Fact]
    public void A_port_of_the_range_that_is_taken_is_named()
    {
        using Socket taken = DataEnds.Listen(IPAddress.Loopback);
        int port = DataEnds.PortOf(taken);
        ListenException e = Assert.Throws<ListenException>(() => NewBench("ftp", o => o with { PassiveRange = new PortRange(port, port) }));
        Assert.Equal((new IPEndPoint(IPAddress.Loopback, port), SocketError.AddressAlreadyInUse), (e.Address, e.Error));
    }

    [Fact]
    public async Task A_transfer_whose_client_is_reset_ends_though_no_flow_looks_after_it()
    {
        using Socket offered = DataEnds.ListenOnLastingPort(Elsewhere);
        int port = DataEnds.PortOf(offered);
        await using var bench = NewBench("ftp", o => o with { PassiveRange = new PortRange(port, port), Tcp = KeepAliveSpec.Parse("1:1:1") }, serverAddress: Elsewhere);
        (Line client, Line server) = await bench.LogInAsync();
        await Bench.PassAsync(client, server, "AUTH TLS", "234 go");
        using Line near = await DataEnds.DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        near.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await far.EndAsync());
        near.Socket.Reset();
        Assert.Contains("broken: downstream died after its FIN", (await bench.EventAsync(FlowEventKind.DataClosed)).Text, StringComparison.Ordinal);
    }
}
