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
    public async Task Sessions_go_on_when_descriptors_run_out_and_new_ones_come_when_others_have_left()
    {
        Requires.Programs("prlimit");
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            ["prlimit", "--nofile=400:400", Program, "gateway", "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{DataEnds.PortOf(listener)}", "--protocol", "ftp", "--probe", "off", "--json", "--no-check"]);
        string listening = await gateway.WaitForLineAsync(l => l.Contains("\"listening\"", StringComparison.Ordinal), Bench.Patience);
        int port = IPEndPoint.Parse(JsonDocument.Parse(listening).RootElement.GetProperty("listen").GetString()!).Port;
        var sessions = new List<(Line Client, Line Server)>();
        Task<Socket> next = listener.AcceptAsync();
        while (true)
        {
            Assert.InRange(sessions.Count, 0, 200);
            Line client = await DataEnds.DialAsync(port);
            Task<string> said = client.HearAsync();
            if (await Task.WhenAny(next, said) == said)
            {
                Assert.StartsWith("421 ", await said, StringComparison.Ordinal);
                client.Dispose();
                break;
            }

            var server = new Line(await next);
            next = listener.AcceptAsync();
            sessions.Add((client, server));
            await server.SayAsync("220 ready");
            Assert.Equal("220 ready", await said);
        }

        Assert.NotEmpty(sessions);
        await gateway.WaitForLineAsync(l => l.Contains("nearly out of descriptors", StringComparison.Ordinal), Bench.Patience);

        // What is left serves the sessions that are there, up to what the runtime needs.
        List<string> offers = [];
        foreach ((Line client, Line server) in sessions) offers.Add((await PassiveAsync(client, server, listener))[..3]);
        Assert.Equal("227", offers[0]);
        Assert.Equal("425", offers[^1]);
        foreach ((Line client, Line server) in sessions) await Bench.PassAsync(client, server, "PWD", "257 \"/\"");

        foreach ((Line client, Line server) in sessions)
        {
            server.Dispose();
            client.Dispose();
        }

        await gateway.WaitForLineAsync(_ => gateway.Lines.Count(l => l.Contains("\"closed\"", StringComparison.Ordinal)) >= sessions.Count - 1, Bench.Patience);
        using Line late = await DataEnds.DialAsync(port);
        using var its = new Line(await next.WaitAsync(Bench.Patience));
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
