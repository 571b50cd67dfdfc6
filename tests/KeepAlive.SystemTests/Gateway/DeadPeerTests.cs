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
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await server.ReceiveAsync(new byte[1]).WaitAsync(Bench.Patience));

        await lab.SwallowEverythingAsync();
        var watch = Stopwatch.StartNew();
        if (dataUnderWay) await client.SendAsync("y"u8.ToArray());
        Assert.Equal(SocketError.ConnectionReset, await new Line(client).EndAsync());
        // 5 s, an eighth for looking, and room for a busy machine. Linux alone would take 15 minutes with data under way.
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(3.5), TimeSpan.FromSeconds(10));
        await gateway.WaitForAsync("died", 1, Bench.Patience);
        Assert.Contains(said, gateway.Transcript, StringComparison.Ordinal);
    }
}
