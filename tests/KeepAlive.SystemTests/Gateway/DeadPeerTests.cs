using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A peer that is gone is found within the detection time, whether the flow was idle or not.</summary>
public sealed class DeadPeerTests
{
    [Theory]
    [InlineData(false, "recv: ETIMEDOUT")]
    [InlineData(true, "nothing sent to it was acknowledged for 5s")]
    public async Task Behind_a_black_hole(bool dataUnderWay, string said)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using Socket listener = await lab.Server.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(lab.Server.Address, 0));
        listener.Listen();
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(
            lab.Client, lab.Server.Address.ToString(), ((IPEndPoint)listener.LocalEndPoint!).Port, "--protocol", "tcp", "--tcp", "2:3:1", "--no-check");
        using Socket client = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port);
        using Socket server = await listener.AcceptAsync().WaitAsync(Bench.Patience);
        var heard = Stopwatch.StartNew(); // it is heard of after this
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await server.ReceiveAsync(new byte[1]).WaitAsync(Bench.Patience));

        await lab.SwallowEverythingAsync();
        var watch = Stopwatch.StartNew();
        if (dataUnderWay) await client.SendAsync("y"u8.ToArray());
        Assert.Equal(SocketError.ConnectionReset, await new Line(client).EndAsync());
        // 5 s, an eighth for looking, and room for a busy machine. Linux alone would take 15 minutes with data under way.
        Assert.True(heard.Elapsed >= TimeSpan.FromSeconds(4.5), $"dead {heard.Elapsed} after it was heard");
        Assert.True(watch.Elapsed <= TimeSpan.FromSeconds(10), $"dead only {watch.Elapsed} after it was gone");
        await gateway.WaitForAsync("died", 1, Bench.Patience);
        Assert.Contains(said, gateway.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transfer_that_outlives_its_control_connection_does_not_outlive_the_path()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)), offered = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(
            lab.Client, lab.Server.Address.ToString(), DataEnds.PortOf(listener), "--protocol", "ftp", "--tcp", "2:3:1", "--probe", "off", "--no-check");
        using var client = new Line(await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)));
        using var near = new Line(await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)));
        await client.Socket.ConnectAsync(IPAddress.Loopback, gateway.Port);
        using var server = new Line(await listener.AcceptAsync().WaitAsync(Bench.Patience));
        await server.SayAsync("220 ready");
        Assert.Equal("220 ready", await client.HearAsync());
        await near.Socket.ConnectAsync(IPAddress.Loopback, await DataEnds.PassiveAsync(client, server, offered));
        using var far = new Line(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await near.SayAsync("some");
        Assert.Equal("some", await far.HearAsync());

        // The server has ended the session; of the client's end it cannot be told any more.
        server.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await client.EndAsync());
        await lab.SwallowEverythingAsync();
        client.Dispose();
        var watch = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // sent last, it would be given up last
        await near.SayAsync("more");
        Assert.Equal(SocketError.ConnectionReset, await near.EndAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(3.5), TimeSpan.FromSeconds(12));
        await gateway.WaitForAsync("closed", 1, Bench.Patience);
    }
}
