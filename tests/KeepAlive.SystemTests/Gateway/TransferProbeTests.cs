using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Probes while a transfer runs, on a server that the test speaks for.</summary>
public class TransferProbeTests : GatewayTests
{
    private static readonly KeepAliveSpec Quick = KeepAliveSpec.Parse("300ms:2:300ms");

    [Theory]
    [InlineData("200 ours", "immediate: answers NOOP while a download runs")]
    [InlineData("500 Unknown command.", "error: rejects NOOP while a download runs, harmlessly")]
    public async Task Answers_that_come_at_once_are_swallowed(string answer, string kind)
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        (Line near, Line far) = await BeginAsync(client, server, offered);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("NOOP", await server.HearAsync());
            await far.SayAsync("part"); // the client is seen at work
            await server.SayAsync(answer);
        }

        Assert.Equal(kind, (await bench.EventAsync(FlowEventKind.ServerKind)).Text);
        await EndAsync(client, server, near, far);
    }

    [Fact]
    public async Task Answers_that_come_after_the_end_are_swallowed_and_hold_the_next_command_only()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        (Line near, Line far) = await BeginAsync(client, server, offered);
        Assert.Equal("NOOP", await server.HearAsync());
        await far.SayAsync("all");
        Assert.Equal("all", await near.HearAsync());
        far.Dispose();
        await server.SayAsync("226 done");
        Assert.Equal("226 done", await client.HearAsync()); // at once, though an answer is owed
        await client.SayAsync("PWD");
        await server.SayAsync("200 late");
        Assert.Equal("PWD", await server.HearAsync());
        await server.SayAsync("257 \"/\"");
        Assert.Equal("257 \"/\"", await client.HearAsync());
        near.Dispose();
    }

    [Fact]
    public async Task A_server_that_never_answers_in_a_transfer_is_not_taken_for_dead()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        (Line near, Line far) = await BeginAsync(client, server, offered);
        Assert.Equal("NOOP", await server.HearAsync());
        for (int i = 0; i < 12; i++)
        {
            await far.SayAsync("part");
            await Task.Delay(Quick.Policy!.DetectionTime / 4); // three times the detection time in all: it is what is tried
        }

        await EndAsync(client, server, near, far); // the session still works
    }

    [Fact]
    public async Task A_client_that_is_silent_in_its_transfer_too_is_not_vouched_for()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick, Tcp = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        (Line near, Line far) = await BeginAsync(client, server, offered);
        Assert.Equal("NOOP", await server.HearAsync());
        await server.SayAsync("200 ours");
        FlowEvent withheld;
        do withheld = await bench.EventAsync(FlowEventKind.ProbeWithheld);
        while (!withheld.Text.Contains("could prove it alive, is off", StringComparison.Ordinal));
        await EndAsync(client, server, near, far);
    }

    private static async Task<(Line Near, Line Far)> BeginAsync(Line client, Line server, Socket offered)
    {
        Line near = await DataEnds.DialAsync(await DataEnds.PassiveAsync(client, server, offered));
        Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await Bench.PassAsync(client, server, "RETR f", "150 go");
        return (near, far);
    }

    private static async Task EndAsync(Line client, Line server, Line near, Line far)
    {
        far.Dispose();
        Assert.Equal(SocketError.Success, await near.EndAsync());
        near.Dispose();
        await server.SayAsync("226 done");
        Assert.Equal("226 done", await client.HearAsync());
    }
}
