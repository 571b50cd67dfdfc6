using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>How flows begin, and that any number of them may, one after the other or at once.</summary>
public class FlowTests : GatewayTests
{
    [Fact]
    public async Task Five_hundred_short_flows_leave_nothing_behind()
    {
        const int Flows = 500;
        await using var bench = NewBench("tcp");
        Task serve = Task.Run(async () =>
        {
            for (int i = 0; i < Flows; i++)
            {
                using var line = new Line(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience));
                await line.SayAsync(await line.HearAsync());
                Assert.Equal(SocketError.Success, await line.EndAsync());
            }
        });
        for (int i = 0; i < Flows; i++)
        {
            using Line line = await bench.ConnectAsync();
            await line.SayAsync($"flow {i}");
            Assert.Equal($"flow {i}", await line.HearAsync());
        }

        await serve;
        for (int i = 0; i < Flows; i++) await bench.EventAsync(FlowEventKind.Closed);
        while (bench.Gateway.Flows > 0) await Task.Yield();
        Assert.DoesNotContain(bench.Seen, e => e.Kind is FlowEventKind.Died or FlowEventKind.Refused or FlowEventKind.Notice);
    }

    [Fact]
    public async Task The_server_is_resolved_for_each_flow_and_may_be_a_name()
    {
        await using var bench = NewBench("tcp", o => o with { To = new HostPort("localhost", o.To.Port) });
        for (int i = 0; i < 3; i++)
        {
            (Line client, Line server) = await bench.PairAsync();
            await client.SayAsync("by name");
            Assert.Equal("by name", await server.HearAsync());
            Assert.Equal(bench.Server.LocalEndPoint!.ToString(), (await bench.EventAsync(FlowEventKind.Connected)).Text);
        }
    }

    [Fact]
    public async Task A_server_that_comes_back_takes_the_next_flow()
    {
        using Socket holder = Loopback.Refusing(IPAddress.Loopback, out int port);
        await using var bench = NewBench("tcp", o => o with { To = new HostPort("127.0.0.1", port) });
        using (Line early = await bench.ConnectAsync())
        {
            Assert.Equal(SocketError.Success, await early.EndAsync());
            Assert.Contains("Connection refused", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
        }

        holder.Listen();
        using Line client = await bench.ConnectAsync();
        using var server = new Line(await holder.AcceptAsync().WaitAsync(Bench.Patience));
        await client.SayAsync("back");
        Assert.Equal("back", await server.HearAsync());
    }

    [Fact]
    public async Task A_plain_relay_refuses_by_closing()
    {
        await using var bench = NewBench("tcp", o => o with { MaxFlows = 1 });
        (Line client, Line server) = await bench.PairAsync();
        using (Line refused = await bench.ConnectAsync())
        {
            await bench.EventAsync(FlowEventKind.Refused);
            Assert.Equal(0, await refused.Socket.ReceiveAsync(new byte[1]).WaitAsync(Bench.Patience));
        }

        await client.SayAsync("unharmed");
        Assert.Equal("unharmed", await server.HearAsync());
    }

    [Fact]
    public async Task A_client_that_leaves_while_the_server_is_dialled_ends_its_flow()
    {
        using DeafListener deaf = await DeafListener.OpenAsync();
        await using var bench = NewBench("tcp", o => o with { To = new HostPort("127.0.0.1", deaf.Port), ConnectTimeout = TimeSpan.FromSeconds(1) });
        (await bench.ConnectAsync()).Socket.Reset();
        await bench.EventAsync(FlowEventKind.Refused);
        while (bench.Gateway.Flows > 0) await Task.Yield();
    }

    [Fact]
    public async Task Stopping_at_any_moment_of_a_flows_beginning_ends_it()
    {
        for (int i = 0; i < 150; i++)
        {
            var bench = NewBench(i % 2 == 0 ? "tcp" : "ftp");
            Line[] clients = [await bench.ConnectAsync(), await bench.ConnectAsync(), await bench.ConnectAsync()];
            if (i % 3 > 0) await bench.EventAsync(i % 3 == 1 ? FlowEventKind.Opened : FlowEventKind.Connected);
            await bench.DisposeAsync().AsTask().WaitAsync(Bench.Patience);
            foreach (Line client in clients) client.Dispose();
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ftp")]
    public async Task A_byte_of_urgent_data_keeps_its_place_among_the_others(string protocol)
    {
        await using var bench = NewBench(protocol, o => o with { Probe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.PairAsync();
        server.Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
        await client.SayAsync("before");
        await client.Socket.SendAsync("!"u8.ToArray(), SocketFlags.OutOfBand);
        await client.SayAsync("after");
        Assert.Equal("before", await server.HearAsync());
        Assert.Equal("!after", await server.HearAsync());
    }

    [Fact]
    public async Task Clients_that_reset_as_an_address_comes_for_them_end_like_all_others()
    {
        await using var bench = NewBench("ftp");
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        int port = DataEnds.PortOf(offered);
        for (int i = 0; i < 150; i++)
        {
            (Line client, Line server) = await bench.LogInAsync();
            await client.SayAsync("PASV");
            Assert.Equal("PASV", await server.HearAsync());
            using var barrier = new Barrier(2);
            Task offer = Task.Run(async () =>
            {
                barrier.SignalAndWait();
                await server.SayAsync($"227 go (127,0,0,1,{port >> 8},{port & 255})");
            });
            barrier.SignalAndWait();
            client.Socket.Reset();
            Exception? late = await Record.ExceptionAsync(() => offer);
            Assert.True(late is null or SocketException { SocketErrorCode: SocketError.ConnectionReset }, $"{late}"); // the reset may have passed already
            await bench.EventAsync(FlowEventKind.Died);
            await bench.EventAsync(FlowEventKind.Closed);
        }

        Assert.DoesNotContain(bench.Seen, e => e.Kind == FlowEventKind.Refused || e.Text.Contains("fault", StringComparison.Ordinal));
    }
}
