using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A gateway that has run out of descriptors says so, spares the flows it has, and recovers.</summary>
public sealed class DescriptorTests
{
    private static readonly string Program = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath)!, "keepalive");

    [Fact]
    public async Task Sessions_go_on_when_no_descriptor_is_left_and_new_ones_when_there_are_again()
    {
        Requires.Programs("prlimit");
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            [Program, "gateway", "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{DataEnds.PortOf(listener)}", "--protocol", "ftp", "--probe", "off", "--json", "--no-check"]);
        string listening = await gateway.WaitForLineAsync(l => l.Contains("\"listening\"", StringComparison.Ordinal), Bench.Patience);
        int port = IPEndPoint.Parse(JsonDocument.Parse(listening).RootElement.GetProperty("listen").GetString()!).Port;
        using Line early = await DataEnds.DialAsync(port);
        using Line its = await GreetAsync(listener, early);
        Assert.StartsWith("227 ", await PassiveAsync(early, its, listener), StringComparison.Ordinal);

        // Every new descriptor takes the least free number: from there on there are none.
        string[] held = [.. Directory.GetFiles($"/proc/{gateway.Id}/fd").Select(Path.GetFileName)!];
        int least = Enumerable.Range(0, int.MaxValue).First(i => !held.Contains(i.ToString(CultureInfo.InvariantCulture)));
        await ChildProcess.RunAsync(["prlimit", "--pid", $"{gateway.Id}", $"--nofile={least}:20000"]);
        using Line late = await DataEnds.DialAsync(port);
        await gateway.WaitForLineAsync(l => l.Contains("accept failed", StringComparison.Ordinal), Bench.Patience);
        await Bench.PassAsync(early, its, "PWD", "257 \"/\"");
        Assert.StartsWith("425 ", await PassiveAsync(early, its, listener), StringComparison.Ordinal);
        await Bench.PassAsync(early, its, "PWD", "257 \"/\"");

        await ChildProcess.RunAsync(["prlimit", "--pid", $"{gateway.Id}", "--nofile=1000:20000"]);
        using Line lates = await GreetAsync(listener, late);
        Assert.StartsWith("227 ", await PassiveAsync(late, lates, listener), StringComparison.Ordinal);
        Assert.StartsWith("227 ", await PassiveAsync(early, its, listener), StringComparison.Ordinal);
    }

    private static async Task<Line> GreetAsync(Socket listener, Line client)
    {
        var server = new Line(await listener.AcceptAsync().WaitAsync(Bench.Patience));
        await server.SayAsync("220 ready");
        Assert.Equal("220 ready", await client.HearAsync());
        return server;
    }

    // Nobody dials what is offered.
    private static async Task<string> PassiveAsync(Line client, Line server, Socket offered)
    {
        await client.SayAsync("PASV");
        Assert.Equal("PASV", await server.HearAsync());
        int port = DataEnds.PortOf(offered);
        await server.SayAsync($"227 go (127,0,0,1,{port >> 8},{port & 255})");
        return await client.HearAsync();
    }
}
