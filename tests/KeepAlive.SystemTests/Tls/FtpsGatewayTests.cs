using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Proxy;
using KeepAlive.SystemTests.Gateway;

namespace KeepAlive.SystemTests.Tls;

/// <summary>FTPS by the gateway, towards a server of the test and towards its clients: what is asked of the server, what never reaches it, and that no data goes in plain text.</summary>
public class FtpsGatewayTests : TlsGatewayTests
{
    [Fact]
    public async Task A_plain_client_gets_the_greeting_when_all_is_private()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        using Line client = await bench.ConnectAsync();
        TlsEnd server = await ProtectAsync(bench, "220-two\r\n220 lines");
        Assert.Equal(["220-two", "220 lines"], (string[])[await client.HearAsync(), await client.HearAsync()]);
        foreach (string refused in (string[])["AUTH TLS", "auth ssl", "PBSZ 0", "PROT C", "PROT P", "CCC"])
        {
            await client.SayAsync(refused);
            Assert.Equal("534 Protection is the gateway's business: go on as you are.", await client.HearAsync());
        }

        await client.SayAsync("USER u");
        Assert.Equal("USER u", await server.HearAsync());
        await server.SayAsync("331 and?");
        Assert.Equal("331 and?", await client.HearAsync());
    }

    [Fact]
    public async Task A_server_of_port_990_begins_with_TLS()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp", o => o with { Protocol = o.Protocol with { TlsPort = o.To.Port }, ProxyOut = ProxyVersion.V1 });
        using Line client = await bench.ConnectAsync();
        Socket socket = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        Assert.StartsWith("PROXY TCP4 127.0.0.1 ", await LineAsync(socket), StringComparison.Ordinal);
        TlsEnd server = Keep(await TlsEnd.AsServerAsync(socket, ServerFiles));
        await server.SayAsync("120 soon\r\n220 now");
        await AnswerAsync(server, "PBSZ 0", "200 fine");
        await AnswerAsync(server, "PROT P", "200 fine");
        Assert.Equal("120 soon", await client.HearAsync());
        Assert.Equal("220 now", await client.HearAsync());
    }

    [Theory]
    [InlineData("220 hi", "530 no", "421 The server cannot be spoken to in TLS, and nothing is sent without it.", "the server answers AUTH TLS with 530: it speaks no FTPS here")]
    [InlineData("421 full", "", "421 full", "the server greets with 421")]
    [InlineData("220 hi", "234 go\r\n230 you are in", "421 The server cannot be spoken to in TLS, and nothing is sent without it.", "something stands in plain text behind the answer to AUTH TLS")]
    [InlineData("SSH-2.0-x", "", "421 The server cannot be spoken to in TLS, and nothing is sent without it.", "what the server says is no reply of FTP")]
    public async Task A_server_without_it_is_not_spoken_to(string greeting, string toAuth, string told, string why)
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        using Line client = await bench.ConnectAsync();
        await client.SayAsync("USER secret");
        using Socket socket = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        var server = new Line(socket);
        await server.SayAsync(greeting);
        if (toAuth.Length > 0)
        {
            Assert.Equal("AUTH TLS", await server.HearAsync());
            await server.SayAsync(toAuth);
        }

        Assert.Equal(told, await client.HearAsync());
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal(Leg.Upstream, refused.Leg);
        Assert.Contains(why, refused.Text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<EndOfStreamException>(server.HearAsync);
    }

    [Fact]
    public async Task A_server_that_would_send_data_in_plain_text_is_not_spoken_to()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        using Line client = await bench.ConnectAsync();
        using Socket socket = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        TlsEnd server = await ShakeAsync(socket, "220 hi");
        await AnswerAsync(server, "PBSZ 0", "200 fine");
        await AnswerAsync(server, "PROT P", "536 no");
        Assert.StartsWith("421 ", await client.HearAsync(), StringComparison.Ordinal);
        Assert.EndsWith("the server answers PROT P with 536: data would go in plain text", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Passive_data_is_private_towards_the_server_alone()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        (Line near, Socket far) = await PassiveAsync(client, server);
        await client.SayAsync("RETR x");
        await server.HearAsync();
        await server.SayAsync("150 here");
        TlsEnd data = Keep(await TlsEnd.AsServerAsync(far, ServerFiles));
        await data.SayAsync("down");
        await data.EndAsync();
        Assert.Equal("down", await near.HearAsync());
        Assert.Equal(SocketError.Success, await near.EndAsync());
        near.Dispose();
        Assert.Equal("0 bytes up, 6 bytes down", (await bench.EventAsync(FlowEventKind.DataClosed)).Text);
    }

    [Fact]
    public async Task Active_data_is_private_towards_the_server_alone()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        using Socket waiting = DataEnds.Listen(IPAddress.Loopback);
        await client.SayAsync($"EPRT |1|127.0.0.1|{DataEnds.PortOf(waiting)}|");
        int port = int.Parse((await server.HearAsync()).Split('|')[3], System.Globalization.CultureInfo.InvariantCulture);
        await server.SayAsync("200 go");
        await client.HearAsync();
        using Line far = await DataEnds.DialAsync(port);
        TlsEnd data = Keep(await TlsEnd.AsServerAsync(far.Socket, ServerFiles)); // the server of TLS is that of FTP, whoever dials
        using var near = new Line(await waiting.AcceptAsync().WaitAsync(Bench.Patience));
        await near.SayAsync("up");
        Assert.Equal("up", await data.HearAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Data_that_cannot_be_private_does_not_flow(bool isPlain)
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        (Line near, Socket far) = await PassiveAsync(client, server);
        await near.SayAsync("secret");
        if (isPlain) await far.SendAsync("hello in plain text\r\n"u8.ToArray());
        else await Record.ExceptionAsync(async () => await (await TlsEnd.AsServerAsync(far, Authority.Issue("other.lab.example"))).IsEndedAsync());
        FlowEvent told = await bench.EventAsync(FlowEventKind.Notice);
        Assert.StartsWith("data connection failed: TLS: " + (isPlain ? "what came is not TLS" : "its certificate is for 'other.lab.example'"), told.Text, StringComparison.Ordinal);
        Assert.Equal(SocketError.ConnectionReset, await near.EndAsync());
        if (!isPlain) return;
        byte[] heard = new byte[4096];
        int length = await far.ReceiveAsync(heard).WaitAsync(Bench.Patience);
        Assert.DoesNotContain("secret", Encoding.Latin1.GetString(heard, 0, length), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_that_ends_without_close_notify_is_broken()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        (Line near, Socket far) = await PassiveAsync(client, server);
        TlsEnd data = Keep(await TlsEnd.AsServerAsync(far, ServerFiles));
        await data.SayAsync("half of a file");
        Assert.Equal("half of a file", await near.HearAsync());
        far.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.ConnectionReset, await near.EndAsync());
        Assert.EndsWith("broken: upstream ended without TLS's close_notify: perhaps cut short", (await bench.EventAsync(FlowEventKind.DataClosed)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transfer_that_never_begins_ends_quietly()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        (Line near, Socket far) = await PassiveAsync(client, server);
        await client.SayAsync("RETR missing");
        await server.HearAsync();
        await server.SayAsync("550 there is none");
        far.Dispose();
        Assert.Equal("550 there is none", await client.HearAsync());
        Assert.Equal(SocketError.Success, await near.EndAsync());
        await client.SayAsync("QUIT");
        await server.HearAsync();
        server.Dispose();
        client.Dispose();
        await bench.EventAsync(FlowEventKind.Closed);
        Assert.DoesNotContain(bench.Seen, e => e.Kind == FlowEventKind.Notice && e.Text.Contains("data", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Data_that_waits_for_its_handshake_goes_with_its_session()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp");
        (Line client, TlsEnd server) = await LogInAsync(bench);
        (Line near, _) = await PassiveAsync(client, server);
        server.Socket.LingerState = new LingerOption(true, 0);
        server.Socket.Close();
        Assert.Equal(SocketError.ConnectionReset, await near.EndAsync());
    }

    [Fact]
    public async Task The_gateway_s_own_listings_are_private()
    {
        await using var bench = NewTlsBench(Legs.Upstream, "ftp", o => o with
        {
            Probe = KeepAliveSpec.Parse("300ms:20:3s"),
            ProtocolOptions = new ProtocolOptions { Ftp = new FtpOptions { Commands = [FtpKeepAliveCommand.List], IdleAgeMax = TimeSpan.FromHours(1) } },
        });
        (Line client, TlsEnd server) = await LogInAsync(bench);
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        await AnswerAsync(server, "EPSV", $"229 go (|||{DataEnds.PortOf(offered)}|)");
        await AnswerAsync(server, "NLST", "150 here");
        TlsEnd data = Keep(await TlsEnd.AsServerAsync(await offered.AcceptAsync().WaitAsync(Bench.Patience), ServerFiles));
        await data.SayAsync("name");
        await data.EndAsync();
        await data.IsEndedAsync();
        await server.SayAsync("226 done");
        await bench.EventAsync(FlowEventKind.ProbeAnswered);
        await client.SayAsync("PWD");
        await server.HearAsync();
        Assert.DoesNotContain(bench.Seen, e => e.Kind == FlowEventKind.Notice);
    }

    [Theory]
    [InlineData(Legs.Downstream)]
    [InlineData(Legs.Both)]
    public async Task A_client_of_FTPS_has_its_data_private(Legs legs)
    {
        await using var bench = NewTlsBench(legs, "ftp");
        Task<TlsEnd> shaking = ClientAsync(bench, legs);
        TlsEnd server = legs == Legs.Both ? await ProtectAsync(bench, "220 hi") : Keep(TlsEnd.Bare(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience)));
        TlsEnd client = await shaking;
        if (legs == Legs.Downstream) await server.SayAsync("220 hi");
        Assert.Equal("220 hi", await client.HearAsync());
        foreach ((string command, string reply) in ((string, string)[])[("PBSZ 0", "200 PBSZ=0"), ("PROT P", "200 Data connections are private."), ("PROT C", "534 "), ("AUTH TLS", "534 ")])
        {
            await client.SayAsync(command);
            Assert.StartsWith(reply, await client.HearAsync(), StringComparison.Ordinal);
        }

        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        await client.SayAsync("EPSV");
        Assert.Equal("EPSV", await server.HearAsync());
        await server.SayAsync($"229 (|||{DataEnds.PortOf(offered)}|)");
        using Line near = await DataEnds.DialAsync(int.Parse((await client.HearAsync()).Split('|')[3], System.Globalization.CultureInfo.InvariantCulture));
        Socket far = await offered.AcceptAsync().WaitAsync(Bench.Patience);
        TlsEnd there = Keep(legs == Legs.Both ? await TlsEnd.AsServerAsync(far, ServerFiles) : TlsEnd.Bare(far));
        TlsEnd here = Keep(await TlsEnd.AsClientAsync(near.Socket, Authority.RootFile));
        await here.SayAsync("up");
        Assert.Equal("up", await there.HearAsync());
        await there.SayAsync("down");
        Assert.Equal("down", await here.HearAsync());
    }

    private async Task<(Line Client, TlsEnd Server)> LogInAsync(Bench bench)
    {
        Line client = await bench.ConnectAsync();
        TlsEnd server = await ProtectAsync(bench, "220 hi");
        Assert.Equal("220 hi", await client.HearAsync());
        await client.SayAsync("USER u");
        Assert.Equal("USER u", await server.HearAsync());
        await server.SayAsync("230 in");
        Assert.Equal("230 in", await client.HearAsync());
        return (client, server);
    }

    private async Task<TlsEnd> ProtectAsync(Bench bench, string greeting)
    {
        TlsEnd server = await ShakeAsync(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience), greeting);
        await AnswerAsync(server, "PBSZ 0", "200 fine");
        await AnswerAsync(server, "PROT P", "200-really\r\n200 fine");
        return server;
    }

    private async Task<TlsEnd> ShakeAsync(Socket socket, string greeting)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(greeting + "\r\n"));
        Assert.Equal("AUTH TLS", await LineAsync(socket));
        await socket.SendAsync("234 go\r\n"u8.ToArray());
        return Keep(await TlsEnd.AsServerAsync(socket, ServerFiles));
    }

    private static async Task AnswerAsync(TlsEnd server, string command, string reply)
    {
        Assert.Equal(command, await server.HearAsync());
        await server.SayAsync(reply);
    }

    // By the byte: TLS may stand behind it.
    private static async Task<string> LineAsync(Socket socket)
    {
        var line = new StringBuilder();
        byte[] one = new byte[1];
        while (line.Length == 0 || line[^1] != '\n')
        {
            if (await socket.ReceiveAsync(one).WaitAsync(Bench.Patience) == 0) throw new EndOfStreamException($"ended after '{line}'");
            line.Append((char)one[0]);
        }

        return line.ToString().TrimEnd();
    }

    // Connected on both legs; TLS has still to begin.
    private static async Task<(Line Near, Socket Far)> PassiveAsync(Line client, TlsEnd server)
    {
        using Socket offered = DataEnds.Listen(IPAddress.Loopback);
        await client.SayAsync("EPSV");
        Assert.Equal("EPSV", await server.HearAsync());
        await server.SayAsync($"229 (|||{DataEnds.PortOf(offered)}|)");
        Line near = await DataEnds.DialAsync(int.Parse((await client.HearAsync()).Split('|')[3], System.Globalization.CultureInfo.InvariantCulture));
        return (near, await offered.AcceptAsync().WaitAsync(Bench.Patience));
    }
}

/// <summary>The same where the portable engine accepts.</summary>
public sealed class PortableFtpsGatewayTests : FtpsGatewayTests
{
    protected override RelayEngine Engine => RelayEngine.Portable;
}
