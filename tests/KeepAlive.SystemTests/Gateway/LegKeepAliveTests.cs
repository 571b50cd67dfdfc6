using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Kernel keepalive really runs on every socket of a flow, as the kernel itself tells.</summary>
public sealed class LegKeepAliveTests
{
    // The first probe is this far away: no other timer of these sockets is. ss tells whole minutes of it.
    private const int IdleSeconds = 3000;
    private static readonly KeepAliveSpec Distant = KeepAliveSpec.Parse("3000:3:60");

    [Theory]
    [InlineData("tcp")]
    [InlineData("ftp")]
    public async Task On_both_legs(string protocol)
    {
        Requires.Programs("ss");
        await using var bench = new Bench(protocol, o => o with { Tcp = Distant });
        (Line client, Line server) = await bench.PairAsync();
        await server.SayAsync("220 ready");
        Assert.Equal("220 ready", await client.HearAsync());
        await AssertTimersAsync(client, server);
    }

    [Fact]
    public async Task On_both_legs_of_data_connections_and_still_after_AUTH()
    {
        Requires.Programs("ss");
        await using var bench = new Bench("ftp", o => o with { Tcp = Distant });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line near = await DataEnds.DialAsync(await DataEnds.PassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        await near.SayAsync("x");
        Assert.Equal("x", await far.HearAsync());
        await AssertTimersAsync(near, far);
        await Bench.PassAsync(client, server, "AUTH TLS", "234 go");
        await bench.EventAsync(FlowEventKind.PlainRelay);
        await Bench.PassAsync(client, server, "\u0016\u0003\u0001", "\u0016\u0003\u0003");
        await AssertTimersAsync(client, server);
    }

    [Fact]
    public async Task Not_when_it_is_off()
    {
        Requires.Programs("ss");
        await using var bench = new Bench("tcp", o => o with { Tcp = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.PairAsync();
        await bench.EventAsync(FlowEventKind.Connected);
        Assert.Null(await TimerAsync(client));
        Assert.Null(await TimerAsync(server));
    }

    // The gateway's end of each is the other end of the test's.
    private static async Task AssertTimersAsync(params Line[] ends)
    {
        foreach (Line end in ends)
        {
            // While what was sent last is not acknowledged yet, the one timer of a socket is for that.
            double? left = null;
            for (var watch = Stopwatch.StartNew(); left is null && watch.Elapsed < Bench.Patience;) left = await TimerAsync(end);
            Assert.InRange(left ?? 0, IdleSeconds - 120, IdleSeconds);
        }
    }

    // Seconds to the keepalive timer of the socket whose peer is this end's; null when it has none.
    private static async Task<double?> TimerAsync(Line end)
    {
        string output = await ChildProcess.RunAsync(["ss", "-tnoH", "state", "established", "src", $"{end.Socket.RemoteEndPoint}", "dst", $"{end.Socket.LocalEndPoint}"]);
        const string Mark = "timer:(keepalive,";
        int at = output.IndexOf(Mark, StringComparison.Ordinal);
        if (at < 0) return null;
        string left = output[(at + Mark.Length)..].Split(',')[0];
        string[] parts = left.Split("min");
        return parts.Length == 2
            ? (double.Parse(parts[0], CultureInfo.InvariantCulture) * 60) + (parts[1].Length == 0 ? 0 : double.Parse(parts[1].TrimEnd('s', 'e', 'c'), CultureInfo.InvariantCulture))
            : double.Parse(left.TrimEnd('s', 'e', 'c', 'm'), CultureInfo.InvariantCulture);
    }
}
