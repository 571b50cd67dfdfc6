using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The FTP gateway between a client and a server that the test speaks for.</summary>
public class FtpGatewayTests : GatewayTests
{
    private static readonly KeepAliveSpec Quick = KeepAliveSpec.Parse("300ms:2:300ms");

    [Fact]
    public async Task Idle_sessions_are_probed_and_the_client_sees_nothing_of_it()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick });
        (Line client, Line server) = await bench.LogInAsync();
        Assert.Equal("NOOP", await server.HearAsync());
        await client.SayAsync("SIZE a"); // while the answer is owed: it waits for it
        await server.SayAsync("200 ours");
        Assert.Equal("SIZE a", await server.HearAsync());
        await server.SayAsync("213 5");
        Assert.Equal("213 5", await client.HearAsync());
        FlowEvent answered = await bench.EventAsync(FlowEventKind.ProbeAnswered);
        Assert.Equal((Leg.Upstream, "200 to NOOP"), (answered.Leg, answered.Text));
    }

    [Fact]
    public async Task A_server_that_hangs_is_found_within_the_detection_time_and_both_legs_are_reset()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick });
        (Line client, Line server) = await bench.LogInAsync();
        var watch = Stopwatch.StartNew();
        Assert.Equal(SocketError.ConnectionReset, await client.EndAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.7), Quick.Policy!.DetectionTime + TimeSpan.FromSeconds(2));
        Assert.Equal(SocketError.ConnectionReset, await server.EndAsync());
        FlowEvent died = await bench.EventAsync(FlowEventKind.Died);
        Assert.Equal(Leg.Upstream, died.Leg);
        Assert.StartsWith("2 probes in a row unanswered; silent for ", died.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Liveness_is_not_laundered()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = Quick, Tcp = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        // Answered for as long as they come; the client says nothing and nothing else could prove it alive.
        _ = Task.Run(async () =>
        {
            while (true) await server.SayAsync(await server.HearAsync() == "PWD" ? "257 \"/\"" : "200 ours"); // PWD where the machine was slow
        });
        FlowEvent withheld = await bench.EventAsync(FlowEventKind.ProbeWithheld);
        Assert.Contains("the client has been silent for over 900ms and kernel keepalive, which could prove it alive, is off", withheld.Text, StringComparison.Ordinal);
        client.Dispose();
    }

    [Fact]
    public async Task Passive_data_goes_to_the_right_peer_alone()
    {
        // A port of its own: one the system chose may be somebody else's as soon as it is closed.
        Socket held = DataEnds.ListenOnLastingPort();
        int only = DataEnds.PortOf(held);
        held.Dispose();
        await using var bench = NewBench("ftp", o => o with { DataPorts = new PortRange(only, only) });
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = Listen();
        int port = await PassiveAsync(client, server, offered);
        Assert.Equal(SocketError.ConnectionReset, await TryAsync(IPAddress.Parse("127.0.0.2"), port));
        Assert.Contains("127.0.0.2 was turned away", (await bench.EventAsync(FlowEventKind.Notice)).Text, StringComparison.Ordinal);
        using Line data = await DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await far.SayAsync("the file");
        Assert.Equal("the file", await data.HearAsync());
        await Assert.ThrowsAsync<SocketException>(() => DialAsync(port)); // accepted once
    }

    [Fact]
    public async Task A_transfer_outlives_the_orderly_end_of_its_control_connection()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        using Socket offered = Listen();
        using Line data = await DialAsync(await PassiveAsync(client, server, offered));
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await bench.EventAsync(FlowEventKind.DataOpened);
        await Bench.PassAsync(client, server, "QUIT", "221 bye");
        client.Dispose();
        server.Dispose();
        await far.SayAsync("the rest");
        Assert.Equal("the rest", await data.HearAsync());
        far.Dispose();
        Assert.Equal(SocketError.Success, await data.EndAsync());
        data.Dispose();
        await bench.EventAsync(FlowEventKind.Closed);
    }

    [Fact]
    public async Task Active_data_goes_to_the_client_and_nobody_else()
    {
        await using var bench = NewBench("ftp");
        (Line client, Line server) = await bench.LogInAsync();
        foreach (string bounce in (string[])["PORT 203,0,113,9,200,10", "PORT 127,0,0,1,0,25", "EPRT |1|203.0.113.9|5000|"])
        {
            await client.SayAsync(bounce);
            Assert.Equal("500 Illegal PORT command.", await client.HearAsync());
        }

        using Socket waiting = Listen();
        int own = ((IPEndPoint)waiting.LocalEndPoint!).Port;
        await client.SayAsync($"EPRT |1|127.0.0.1|{own}|");
        string[] told = (await server.HearAsync()).Split('|');
        Assert.Equal(("EPRT ", "1", "127.0.0.1"), (told[0], told[1], told[2]));
        await server.SayAsync("200 ok");
        Assert.Equal("200 ok", await client.HearAsync());
        using Line far = await DialAsync(int.Parse(told[3], CultureInfo.InvariantCulture));
        using Line near = new(await waiting.AcceptAsync().WaitAsync(Bench.Patience));
        await near.SayAsync("up");
        Assert.Equal("up", await far.HearAsync());
    }

    [Fact]
    public async Task Data_ports_come_from_the_range_and_when_it_is_used_up_the_client_is_told()
    {
        using Socket taken = DataEnds.ListenOnLastingPort();
        int only = ((IPEndPoint)taken.LocalEndPoint!).Port;
        await using var bench = NewBench("ftp", o => o with { DataPorts = new PortRange(only, only) });
        (Line client, Line server) = await bench.LogInAsync();
        await client.SayAsync("PASV");
        Assert.Equal("PASV", await server.HearAsync());
        await server.SayAsync("227 x (127,0,0,1,200,10)");
        Assert.StartsWith("425 ", await client.HearAsync(), StringComparison.Ordinal);
        taken.Dispose();
        using Socket offered = Listen();
        // A program that another test starts just now may keep the port open between its fork and its exec: asked for until it is free.
        using var patience = new CancellationTokenSource(Bench.Patience);
        int? given;
        while ((given = await TryPassiveAsync(client, server, offered)) is null) Assert.False(patience.IsCancellationRequested, "the port is free, and still refused");
        Assert.Equal(only, given);
    }

    [Fact]
    public async Task After_AUTH_the_bytes_pass_and_the_passive_range_is_relayed_for_its_client_alone()
    {
        IPAddress elsewhere = IPAddress.Parse("127.0.0.3");
        using Socket offered = Listen(elsewhere);
        int port = ((IPEndPoint)offered.LocalEndPoint!).Port;
        await using var bench = NewBench("ftp", o => o with { PassiveRange = new PortRange(port, port), Probe = Quick }, serverAddress: elsewhere);
        Assert.Equal(SocketError.ConnectionReset, await TryAsync(IPAddress.Loopback, port));

        (Line client, Line server) = await bench.LogInAsync();
        await Bench.PassAsync(client, server, "AUTH TLS", "234 go");
        Assert.Contains("encrypted from here", (await bench.EventAsync(FlowEventKind.PlainRelay)).Text, StringComparison.Ordinal);
        await Bench.PassAsync(client, server, "\u0016\u0003\u0001PASV", "227 (1,2,3,4,5,6)");
        using Line data = await DialAsync(port);
        using Line far = new(await offered.AcceptAsync().WaitAsync(Bench.Patience));
        await far.SayAsync("encrypted");
        Assert.Equal("encrypted", await data.HearAsync());
    }

    [Fact]
    public async Task An_urgent_abort_stays_urgent_and_loses_no_byte()
    {
        await using var bench = NewBench("ftp", o => o with { Probe = KeepAliveSpec.Off });
        (Line client, Line server) = await bench.LogInAsync();
        await Bench.PassAsync(client, server, "RETR f", "150 go");
        await client.Socket.SendAsync(new byte[] { 0xFF, 0xF4, 0xFF, 0xF2 }, SocketFlags.OutOfBand);
        await client.SayAsync("ABOR");
        Assert.True(server.Socket.Poll(Bench.Patience, SelectMode.SelectError), "no urgent data came");
        byte[] urgent = new byte[1];
        Assert.Equal(1, server.Socket.Receive(urgent, SocketFlags.OutOfBand));
        Assert.Equal(0xF2, urgent[0]);
        // Out of line, as most servers read it: the mark's byte is not among the others.
        Assert.Equal("\u00FF\u00F4\u00FFABOR", await server.HearAsync());
    }

    [Fact]
    public async Task A_client_that_sends_garbage_costs_only_itself()
    {
        await using var bench = NewBench("ftp");
        (Line good, Line its) = await bench.LogInAsync();
        (Line bad, Line server) = await bench.PairAsync();
        using Line kept = bad;
        byte[] garbage = new byte[10 << 20];
        new Random(1).NextBytes(garbage);
        garbage.AsSpan().Replace((byte)'\n', (byte)'x');
        garbage.AsSpan().Replace((byte)0xFF, (byte)'x'); // Telnet commands are another test's
        Task<int> read = Task.Run(async () =>
        {
            byte[] buffer = new byte[1 << 16];
            int all = 0;
            while (all < garbage.Length) all += await server.Socket.ReceiveAsync(buffer);
            return all;
        });
        await bad.Socket.SendAsync(garbage);
        Assert.Equal(garbage.Length, await read.WaitAsync(Bench.Patience));
        await Bench.PassAsync(good, its, "PWD", "257 \"/\"");
    }

    private static async Task<int> PassiveAsync(Line client, Line server, Socket offered) =>
        await TryPassiveAsync(client, server, offered) ?? throw new InvalidOperationException("the gateway has no port for data");

    // The port that the client is told; null when there is none to be had.
    private static async Task<int?> TryPassiveAsync(Line client, Line server, Socket offered)
    {
        int theirs = ((IPEndPoint)offered.LocalEndPoint!).Port;
        await client.SayAsync("PASV");
        Assert.Equal("PASV", await server.HearAsync());
        await server.SayAsync($"227 Entering Passive Mode (10,9,8,7,{theirs >> 8},{theirs & 255})");
        string reply = await client.HearAsync();
        if (reply.StartsWith("425 ", StringComparison.Ordinal)) return null;
        string[] six = reply.Split('(', ')')[1].Split(',');
        Assert.Equal(["127", "0", "0", "1"], six[..4]);
        return (int.Parse(six[4], CultureInfo.InvariantCulture) << 8) | int.Parse(six[5], CultureInfo.InvariantCulture);
    }

    // How a connection ends that nobody wants. The reset may come before the connect is known to have succeeded.
    private static async Task<SocketError> TryAsync(IPAddress from, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(from, 0));
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return await new Line(socket).EndAsync();
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private static async Task<Line> DialAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return new Line(socket);
    }

    private static Socket Listen(IPAddress? address = null)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }
}
