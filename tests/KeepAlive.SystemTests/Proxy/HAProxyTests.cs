using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Proxy;

/// <summary>
/// HAProxy before us and behind us, which is where the PROXY protocol comes from:
/// <code>
/// client 127.0.0.7 ─▶ HAProxy, send-proxy ─▶ gateway ─▶ HAProxy, accept-proxy and send-proxy ─▶ server
/// </code>
/// The server hears from the last of them who the client is.
/// </summary>
public sealed class HAProxyTests
{
    private const int NearPort = 7000, FarPort = 7001;

    [Theory]
    [InlineData("send-proxy", "v1")]
    [InlineData("send-proxy-v2", "v1")]
    [InlineData("send-proxy", "v2")]
    [InlineData("send-proxy-v2 proxy-v2-options unique-id,crc32c", "v2")]
    public async Task The_client_s_address_goes_all_the_way(string send, string version)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(IPAddress.Loopback));
        await using ChildProcess far = await StartAsync(lab.Server, work.File("far"), $"{lab.Server.Address}:{FarPort} accept-proxy", $"127.0.0.1:{DataEnds.PortOf(listener)} send-proxy");
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(
            lab.Client, $"{lab.Server.Address}", FarPort, "--protocol", "tcp", "--proxy-in", "--proxy-out", version, "--no-check");
        await using ChildProcess near = await StartAsync(lab.Client, work.File("near"), $"127.0.0.1:{NearPort}", $"127.0.0.1:{gateway.Port} {send}");

        using var client = new Line(await lab.Client.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.7"), 0));
            socket.Connect(IPAddress.Loopback, NearPort);
            return socket;
        }));
        await client.SayAsync("hello");
        using var server = new Line(await listener.AcceptAsync().WaitAsync(Bench.Patience));
        Assert.Equal($"PROXY TCP4 127.0.0.7 127.0.0.1 {((IPEndPoint)client.Socket.LocalEndPoint!).Port} {NearPort}", await server.HearAsync());
        Assert.Equal("hello", await server.HearAsync());
        await server.SayAsync("hi");
        Assert.Equal("hi", await client.HearAsync());
        await gateway.WaitForAsync("opened", 1, Bench.Patience);
        Assert.Contains($"\"text\":\"{client.Socket.LocalEndPoint} to ", gateway.Transcript, StringComparison.Ordinal);
    }

    internal static async Task<ChildProcess> StartAsync(NetworkSpace host, string configuration, string bind, string server)
    {
        string program = Requires.Server("haproxy", "usr/sbin/haproxy");
        await File.WriteAllTextAsync(configuration, $"""
            defaults
              mode tcp
              timeout connect 10s
              timeout client 1m
              timeout server 1m
            listen one
              bind {bind}
              server two {server}

            """, TestContext.Current.CancellationToken);
        ChildProcess haproxy = await host.StartAsync([program, "-db", "-f", configuration]);
        await host.ListensAsync(int.Parse(bind.Split(' ')[0].Split(':')[1], System.Globalization.CultureInfo.InvariantCulture), haproxy);
        return haproxy;
    }
}
