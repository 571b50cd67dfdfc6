using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Data connections of every kind find their way, and nobody else's do.</summary>
public class DataConnectionTests : GatewayTests
{
    [Fact]
    public async Task Extended_passive()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line near = await DataEnds.DialAsync(await DataEnds.ExtendedPassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(near, far);
        Assert.Equal("4 bytes up, 6 bytes down", (await bench.EventAsync(FlowEventKind.DataClosed)).Text);
    }

    [Fact]
    public async Task Active_by_PORT()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        using Socket waiting = DataEnds.Listen(IPAddress.Loopback);
        int own = DataEnds.PortOf(waiting);
        await client.SayAsync($"PORT 127,0,0,1,{own >> 8},{own & 255}");
        string[] six = (await server.HearAsync())["PORT ".Length..].Split(',');
        Assert.Equal(["127", "0", "0", "1"], six[..4]);
        await server.SayAsync("200 ok");
        Assert.Equal("200 ok", await client.HearAsync());
        int ours = (int.Parse(six[4], CultureInfo.InvariantCulture) << 8) | int.Parse(six[5], CultureInfo.InvariantCulture);
        Assert.NotEqual(own, ours);
        using Line far = await DataEnds.DialAsync(ours);
        using Line near = new(await waiting.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(near, far);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Over_IPv6(bool passive)
    {
        await using var bench = NewBench("ftp", address: IPAddress.IPv6Loopback);
        (Line client, Line server) = await bench.LogInAsync();
        using Socket listener = DataEnds.Listen(IPAddress.IPv6Loopback);
        int port;
        if (passive)
        {
            port = await DataEnds.ExtendedPassiveAsync(client, server, listener);
        }
        else
        {
            await client.SayAsync($"EPRT |2|::1|{DataEnds.PortOf(listener)}|");
            string[] told = (await server.HearAsync()).Split('|');
            Assert.Equal(("EPRT ", "2", "::1"), (told[0], told[1], told[2]));
            await server.SayAsync("200 ok");
            Assert.Equal("200 ok", await client.HearAsync());
            port = int.Parse(told[3], CultureInfo.InvariantCulture);
        }

        using Line dialled = await DataEnds.DialAsync(IPAddress.IPv6Loopback, port);
        using Line accepted = new(await listener.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(passive ? dialled : accepted, passive ? accepted : dialled);
    }

    [Fact]
    public async Task A_third_party_is_turned_away_each_time_and_told_of_once()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        int port = await DataEnds.PassiveAsync(client, server, offered);
        for (int i = 0; i < 20; i++) Assert.Equal(SocketError.ConnectionReset, await TryAsync(IPAddress.Parse("127.0.0.2"), port));
        using Line near = await DataEnds.DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(near, far);
        await bench.EventAsync(FlowEventKind.DataClosed);
        Assert.Single(bench.Seen, e => e.Text.Contains("turned away", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_port_the_server_does_not_listen_on_ends_the_clients_connection()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        // Bound and not listening: refused, and the port is nobody else's meanwhile, as that of a closed listener may be.
        using var offered = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        offered.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = await DataEnds.PassiveAsync(client, server, offered);
        Assert.Equal(SocketError.ConnectionReset, await TryAsync(IPAddress.Loopback, port));
        Assert.Contains("data connection failed", (await bench.EventAsync(FlowEventKind.Notice)).Text, StringComparison.Ordinal);
        await Bench.PassAsync(client, server, "PWD", "257 \"/\"");
    }

    [Fact]
    public async Task A_reset_of_data_passes_and_the_session_goes_on()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line near = await DataEnds.DialAsync(await DataEnds.PassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        far.Socket.Reset();
        Assert.Equal(SocketError.ConnectionReset, await near.EndAsync());
        Assert.Contains("broken: upstream recv: ECONNRESET", (await bench.EventAsync(FlowEventKind.DataClosed)).Text, StringComparison.Ordinal);
        await Bench.PassAsync(client, server, "PWD", "257 \"/\"");
    }

    [Fact]
    public async Task A_listing_of_ours_that_does_not_end_is_closed_for_the_clients_command_and_with_the_flow()
    {
        await using var bench = NewBench("ftp", o => o with
        {
            Probe = KeepAliveSpec.Parse("300ms:20:3s"),
            ProtocolOptions = new ProtocolOptions { Ftp = new FtpOptions { Commands = [FtpKeepAliveCommand.List], IdleAgeMax = TimeSpan.FromHours(1) } },
        });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        using Line first = await ListAsync(server, offered);
        await client.SayAsync("PWD");
        Assert.NotNull(await Record(first.EndAsync()));
        await server.SayAsync("426 aborted");
        Assert.Equal("PWD", await server.HearAsync());
        await server.SayAsync("257 \"/\"");
        Assert.Equal("257 \"/\"", await client.HearAsync());

        using Line second = await ListAsync(server, offered);
        client.Socket.Reset();
        Assert.NotNull(await Record(second.EndAsync()));
    }

    // The data connection is seen to end, either way.
    private static async Task<SocketError?> Record(Task<SocketError> end) => await end.WaitAsync(TimeSpan.FromSeconds(8));

    private static async Task<Line> ListAsync(Line server, Socket offered)
    {
        Assert.Equal("EPSV", await server.HearAsync());
        await server.SayAsync($"229 go (|||{DataEnds.PortOf(offered)}|)");
        Assert.Equal("NLST", await server.HearAsync());
        var data = new Line(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await server.SayAsync("150 here it comes");
        await data.SayAsync("a");
        return data;
    }

    private static async Task<SocketError> TryAsync(IPAddress from, int port)
    {
        try
        {
            using Line line = await DataEnds.DialAsync(IPAddress.Loopback, port, from);
            return await line.EndAsync();
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode; // the reset may come before the connect is known to have succeeded
        }
    }
}
