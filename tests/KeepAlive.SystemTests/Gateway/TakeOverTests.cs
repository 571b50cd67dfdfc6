using System.Net;
using System.Net.Sockets;
using KeepAlive.Gateway;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A gateway that goes on with another one's listener.</summary>
public sealed class TakeOverTests
{
    [Theory]
    [InlineData(RelayEngine.Auto, RelayEngine.Auto)]
    [InlineData(RelayEngine.Auto, RelayEngine.Portable)]
    [InlineData(RelayEngine.Portable, RelayEngine.Auto)]
    [InlineData(RelayEngine.Portable, RelayEngine.Portable)]
    public async Task Old_flows_go_on_and_new_ones_have_the_new_options_alone(RelayEngine first, RelayEngine second)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: to read other sockets' options");
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        GatewayOptions options = Options(server, first) with { Tcp = KeepAliveSpec.Parse("5:4:3"), UserTimeout = UserTimeout.Of(TimeSpan.FromSeconds(77)) };
        await using var before = KeepAlive.Gateway.Gateway.Start(options, _ => { });
        using Line old = await DataEnds.DialAsync(before.Listening.Port);
        using var oldFar = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
        await old.SayAsync("before");
        Assert.Equal("before", await oldFar.HearAsync());

        // On without numbers and without a user timeout: the last one's must not be left.
        await using KeepAlive.Gateway.Gateway after = await KeepAlive.Gateway.Gateway.TakeOverAsync(before, options with { Engine = second, Tcp = KeepAliveSpec.On, UserTimeout = UserTimeout.Off }, _ => { });
        Assert.Equal(before.Listening, after.Listening);
        using Line fresh = await DataEnds.DialAsync(after.Listening.Port);
        using var freshFar = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
        await fresh.SayAsync("after");
        Assert.Equal("after", await freshFar.HearAsync());
        Assert.Equal((1, 1), (before.Flows, after.Flows));
        Assert.Equal("5:4:3 77000", Spelled(after, old));
        using var plain = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        KernelKeepAliveValues own = KernelKeepAlive.Read(plain);
        Assert.Equal(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{own.Idle!.Value.TotalSeconds}:{own.Count}:{own.Interval!.Value.TotalSeconds} 0"), Spelled(after, fresh));

        Task ended = before.EndedAsync();
        Assert.False(ended.IsCompleted);
        await DataEnds.TalkAsync(old, oldFar);
        await ended.WaitAsync(Bench.Patience);
        Assert.Equal(0, await before.StopAsync(TimeSpan.Zero));
        await DataEnds.TalkAsync(fresh, freshFar); // and another's end is not its listener's
        using Line last = await DataEnds.DialAsync(after.Listening.Port);
        using var lastFar = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(last, lastFar);
    }

    [Fact]
    public async Task A_client_that_waits_to_be_accepted_is_served_by_the_next()
    {
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        GatewayOptions options = Options(server, RelayEngine.Auto);
        KeepAlive.Gateway.Gateway gateway = KeepAlive.Gateway.Gateway.Start(options, _ => { });
        var left = new List<KeepAlive.Gateway.Gateway>();
        for (int i = 0; i < 50; i++)
        {
            Task<Line> dialled = DataEnds.DialAsync(gateway.Listening.Port); // meanwhile
            left.Add(gateway);
            gateway = await KeepAlive.Gateway.Gateway.TakeOverAsync(gateway, options, _ => { });
            using Line near = await dialled;
            using var far = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
            await DataEnds.TalkAsync(near, far);
        }

        await gateway.DisposeAsync();
        foreach (KeepAlive.Gateway.Gateway one in left) await one.DisposeAsync();
    }

    [Fact]
    public async Task Another_address_is_none_to_take_over()
    {
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        GatewayOptions options = Options(server, RelayEngine.Auto);
        await using var before = KeepAlive.Gateway.Gateway.Start(options, _ => { });
        await Assert.ThrowsAsync<ArgumentException>(() => KeepAlive.Gateway.Gateway.TakeOverAsync(before, options with { Listen = new IPEndPoint(IPAddress.Loopback, 1) }, _ => { }));
        using Line near = await DataEnds.DialAsync(before.Listening.Port); // it goes on
        using var far = new Line(await server.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(near, far);
    }

    private static GatewayOptions Options(Socket server, RelayEngine engine) => new()
    {
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        To = new HostPort("127.0.0.1", DataEnds.PortOf(server)),
        Protocol = ProtocolList.Find("tcp")!,
        Engine = engine,
    };

    // The gateway's end of a client's connection: idle:count:interval in seconds, user timeout in milliseconds.
    private static string Spelled(KeepAlive.Gateway.Gateway gateway, Line client)
    {
        Connection accepted = ConnectionReader.Read(new ConnectionScope { Pid = Environment.ProcessId }).Connections
            .Single(c => c.Socket.Local.Port == gateway.Listening.Port && c.Socket.Remote.Equals(client.Socket.LocalEndPoint) && c.Socket.State == TcpState.Established);
        return $"{ConnectionVerdict.Spec(accepted.Options!)} {accepted.Options!.UserTimeout}";
    }
}
