using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Proxy;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Proxy;

/// <summary>PROXY headers before the bytes: read from clients, written to servers, on either side of TLS's handshakes.</summary>
public class ProxyHeaderGatewayTests : TlsGatewayTests
{
    private const string Announced = "PROXY TCP4 192.0.2.7 198.51.100.1 1234 21\r\n";

    private static readonly IPEndPoint Source = IPEndPoint.Parse("192.0.2.7:1234"), Destination = IPEndPoint.Parse("198.51.100.1:21");

    [Theory]
    [InlineData(ProxyVersion.V1, false)]
    [InlineData(ProxyVersion.V2, false)]
    [InlineData(ProxyVersion.V1, true)]
    [InlineData(ProxyVersion.V2, true)]
    public async Task A_header_is_taken_off_and_the_client_has_its_own_address(object versionValue, bool byTheByte)
    {
        var version = (ProxyVersion)versionValue;
        await using var bench = NewBench("tcp", o => o with { ProxyIn = true });
        using Line client = await bench.ConnectAsync();
        byte[] header = ProxyHeaderWriter.Write(version, Source, Destination), all = [.. header, .. "hello\r\n"u8];
        for (int sent = 0; sent < all.Length;) sent += await client.Socket.SendAsync(all.AsMemory(sent, byTheByte ? 1 : all.Length));
        using var server = new Line(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience));
        Assert.Equal("hello", await server.HearAsync());
        await server.SayAsync("hi");
        Assert.Equal("hi", await client.HearAsync());
        Assert.Equal($"192.0.2.7:1234 to 127.0.0.1:{DataEnds.PortOf(bench.Server)}, by the proxy {client.Socket.LocalEndPoint}", (await bench.EventAsync(FlowEventKind.Opened)).Text);
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")]
    public async Task A_proxy_may_speak_for_itself(string header)
    {
        await using var bench = NewBench("tcp", o => o with { ProxyIn = true });
        using Line client = await bench.ConnectAsync();
        await client.Socket.SendAsync(Encoding.Latin1.GetBytes(header + "check\r\n"));
        using var server = new Line(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience));
        Assert.Equal("check", await server.HearAsync());
        Assert.StartsWith($"{client.Socket.LocalEndPoint} to ", (await bench.EventAsync(FlowEventKind.Opened)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PING\r\n", "it does not begin with one: only a proxy that sends one may connect here (--proxy-in)")]
    [InlineData("PROXY TCP4 1.2.3.4\r\n", "its line has not six words: only a proxy that sends one may connect here (--proxy-in)")]
    [InlineData("PROXY TCP4", "not done within 1s (--connect-timeout)")]
    [InlineData("", "not done within 1s (--connect-timeout)")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x21", "it ended before it was whole")]
    public async Task A_client_without_one_is_refused(string says, string why)
    {
        await using var bench = NewBench("redis", o => o with { ProxyIn = true, ConnectTimeout = TimeSpan.FromSeconds(1) });
        using Line client = await bench.ConnectAsync();
        await client.Socket.SendAsync(Encoding.Latin1.GetBytes(says));
        if (why.StartsWith("it ended", StringComparison.Ordinal)) client.Socket.Shutdown(SocketShutdown.Send);
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal((Leg.Downstream, $"PROXY header of {client.Socket.LocalEndPoint}: {why}"), (refused.Leg, refused.Text));
        Assert.Equal(0, await client.Socket.ReceiveAsync(new byte[16]).WaitAsync(Bench.Patience));
        Assert.False(bench.Server.Poll(0, SelectMode.SelectRead), "the server was dialled all the same");
    }

    [Theory]
    [InlineData(ProxyVersion.V1)]
    [InlineData(ProxyVersion.V2)]
    public async Task A_server_is_told_the_client_before_anything_else(object versionValue)
    {
        var version = (ProxyVersion)versionValue;
        await using var bench = NewBench("tcp", o => o with { ProxyOut = version });
        (Line client, Line server) = await bench.PairAsync();
        await IsToldAsync(server.Socket, ProxyHeaderWriter.Write(version, (IPEndPoint)client.Socket.LocalEndPoint!, bench.Gateway.Listening));
        await client.SayAsync("hello");
        Assert.Equal("hello", await server.HearAsync());
    }

    [Theory]
    [InlineData(ProxyVersion.V1)]
    [InlineData(ProxyVersion.V2)]
    public async Task What_a_proxy_said_is_passed_on_outside_TLS(object versionValue)
    {
        var version = (ProxyVersion)versionValue;
        await using var bench = NewTlsBench(Legs.Both, change: o => o with { ProxyIn = true, ProxyOut = version });
        Line client = await bench.ConnectAsync();
        await client.Socket.SendAsync(Encoding.Latin1.GetBytes(Announced));
        Task<TlsEnd> shaking = TlsEnd.AsClientAsync(client.Socket, Authority.RootFile);
        Socket socket = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        await IsToldAsync(socket, ProxyHeaderWriter.Write(version, Source, Destination));
        TlsEnd server = Keep(await TlsEnd.AsServerAsync(socket, ServerFiles));
        await (await shaking).SayAsync("inside");
        Assert.Equal("inside", await server.HearAsync());
    }

    [Fact]
    public async Task A_client_that_a_proxy_announced_has_its_data_dialled_itself()
    {
        var home = IPAddress.Parse("127.0.0.9");
        await using var bench = NewBench("ftp", o => o with { ProxyIn = true });
        using Line client = await bench.ConnectAsync();
        await client.Socket.SendAsync("PROXY TCP4 127.0.0.9 127.0.0.1 4000 21\r\n"u8.ToArray());
        using var server = new Line(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience));
        await server.SayAsync("220 ready");
        await client.HearAsync();
        await Bench.PassAsync(client, server, "USER u", "230 in");
        using Socket waiting = DataEnds.Listen(home);
        await client.SayAsync($"EPRT |1|{home}|{DataEnds.PortOf(waiting)}|");
        string[] told = (await server.HearAsync()).Split('|');
        Assert.Equal("127.0.0.1", told[2]);
        await server.SayAsync("200 go");
        await client.HearAsync();
        using Line far = await DataEnds.DialAsync(int.Parse(told[3], System.Globalization.CultureInfo.InvariantCulture));
        using var near = new Line(await waiting.AcceptAsync().WaitAsync(Bench.Patience));
        await DataEnds.TalkAsync(near, far);
    }

    private static async Task IsToldAsync(Socket server, byte[] header)
    {
        byte[] heard = new byte[header.Length];
        for (int read = 0; read < heard.Length;) read += await server.ReceiveAsync(heard.AsMemory(read)).AsTask().WaitAsync(Bench.Patience) is var more and > 0 ? more : throw new EndOfStreamException();
        Assert.Equal(header, heard);
    }
}

/// <summary>The same where the portable engine accepts.</summary>
public sealed class PortableProxyHeaderGatewayTests : ProxyHeaderGatewayTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}
