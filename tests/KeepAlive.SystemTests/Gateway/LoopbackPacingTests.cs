using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>What paces is taken off legs over loopback and stays on all others, as the kernel itself tells.</summary>
public sealed class LoopbackPacingTests
{
    private const string Paced = "bbr";
    private const string Setting = "/proc/sys/net/ipv4/tcp_congestion_control";

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task Only_legs_over_loopback_are_not_paced(string listenOn)
    {
        Requires.Programs("ss");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        string offered = await lab.Client.RunAsync(["cat", "/proc/sys/net/ipv4/tcp_available_congestion_control"]);
        if (!offered.Split(' ').Contains(Paced)) Assert.Skip($"this kernel has no {Paced}: {offered}");
        await lab.Client.RunAsync(["sh", "-c", $"echo {Paced} >{Setting}"]);
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        await using GatewayProcess far = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", DataEnds.PortOf(listener), IPAddress.Parse(listenOn));
        await using GatewayProcess near = await GatewayProcess.StartAsync(lab.Client, "127.0.0.1", far.Port);
        using var client = await lab.Client.InsideAsync(() => new Socket(SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, near.Port), TestContext.Current.CancellationToken);
        using Socket served = await listener.AcceptAsync().WaitAsync(Bench.Patience);

        Assert.Equal(Paced, await CongestionControlAsync(lab.Client, $"dport = :{near.Port}")); // the client's own end
        Assert.Equal("reno", await CongestionControlAsync(lab.Client, $"sport = :{near.Port}"));
        Assert.Equal("reno", await CongestionControlAsync(lab.Client, $"dport = :{far.Port}"));
        Assert.Equal("reno", await CongestionControlAsync(lab.Client, $"sport = :{far.Port}"));
        Assert.Equal(Paced, await CongestionControlAsync(lab.Client, $"dport = :{DataEnds.PortOf(listener)}"));
    }

    // "ESTAB 0 0 127.0.0.1:2121 127.0.0.1:40002\n\t ts sack reno wscale:10,10 rto:201 ...": its name is before the window scale.
    private static async Task<string> CongestionControlAsync(NetworkSpace host, string filter)
    {
        string[] words = (await host.RunAsync(["ss", "-tinH", "state", "established", filter])).Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return words[Array.FindIndex(words, w => w.StartsWith("wscale:", StringComparison.Ordinal)) - 1];
    }
}
