using System.Net.Sockets;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Gateway.Tls;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Tls;

/// <summary>Handshakes that must not succeed: the flow is refused, the event says why, and nothing goes in plain text.</summary>
public class TlsHandshakeTests : TlsGatewayTests
{
    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        (string, string) other = Authority.Issue("other.lab.example");
        await RefusedAsync(other, null, "its certificate is for 'other.lab.example', not for 'server.lab.example': give the server by that name, or the name alone with --tls-name");
    }

    [Fact]
    public async Task A_certificate_that_is_over_is_refused() =>
        await RefusedAsync(Authority.Issue(validFor: TimeSpan.FromHours(-1)), null, "the certificate of 'server.lab.example' is valid from ", "UTC: have it renewed, or set the clock");

    [Fact]
    public async Task A_root_that_is_not_trusted_is_refused()
    {
        using var stranger = new Authority("stranger");
        await RefusedAsync(stranger.Issue(), null, "nobody trusted here has issued its certificate (issuer 'stranger issuing'): give its root with --ca");
    }

    [Fact]
    public async Task The_machine_s_own_roots_do_not_know_it_either() =>
        await RefusedAsync(Authority.Issue(), TlsUpstream.Load(Authority.ServerName), "nobody trusted here has issued its certificate (issuer 'lab root issuing')");

    [Fact]
    public async Task An_address_is_verified_as_such()
    {
        await RefusedAsync(Authority.Issue(), TlsUpstream.Load("127.0.0.1", Authority.RootFile), "its certificate is for 'server.lab.example', not for '127.0.0.1'");
        (string, string) ours = Authority.Issue("127.0.0.1");
        await using var bench = NewTlsBench(Legs.Upstream, change: o => o with { TlsUpstream = TlsUpstream.Load("127.0.0.1", Authority.RootFile) });
        Task<TlsEnd> client = ClientAsync(bench, Legs.Upstream);
        TlsEnd server = Keep(await TlsEnd.AsServerAsync(await bench.Server.AcceptAsync().WaitAsync(Bench.Patience), ours));
        await (await client).SayAsync("hello");
        Assert.Equal("hello", await server.HearAsync());
    }

    [Fact]
    public async Task A_session_resumed_is_verified_as_any_other()
    {
        // The base class library keeps sessions by name, whoever verified them; a gateway that trusts others must not profit.
        await using var trusting = NewTlsBench(Legs.Upstream);
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(trusting, Legs.Upstream);
        await server.SayAsync("the ticket comes with this");
        await client.HearAsync();
        using var stranger = new Authority("stranger");
        await using var wary = NewTlsBench(Legs.Upstream, change: o => o with { To = new HostPort("127.0.0.1", DataEnds.PortOf(trusting.Server)), TlsUpstream = TlsUpstream.Load(Authority.ServerName, stranger.RootFile) });
        using Line refused = await wary.ConnectAsync();
        using Socket socket = await trusting.Server.AcceptAsync().WaitAsync(Bench.Patience);
        await Record.ExceptionAsync(() => TlsEnd.AsServerAsync(socket, ServerFiles));
        Assert.Contains("nobody trusted here", (await wary.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("220 plain text spoken here\r\n", "what came is not TLS: is it the right port?")]
    [InlineData("", "the other end closed the connection in the middle of it")]
    [InlineData("\x15\x03\x03\x00\x02\x02\x28", "the two agree on no cipher, or a client certificate is asked for, which is not to be had here (sslv3 alert handshake failure)")]
    public async Task A_server_without_TLS_is_refused(string says, string why)
    {
        await using var bench = NewTlsBench(Legs.Upstream, "redis");
        using Line client = await bench.ConnectAsync();
        using Socket server = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        if (says.Length > 0) await server.SendAsync(Encoding.Latin1.GetBytes(says));
        else server.Shutdown(SocketShutdown.Send);
        Assert.Equal("-ERR max number of clients reached", await client.HearAsync());
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal(Leg.Upstream, refused.Leg);
        Assert.EndsWith(why, refused.Text, StringComparison.Ordinal);
        byte[] heard = new byte[4096];
        int length = await server.ReceiveAsync(heard).WaitAsync(Bench.Patience);
        Assert.True(length > 0 && heard[0] == 0x16, "the first that the server hears is a handshake");
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_refused_in_time()
    {
        await using var bench = NewTlsBench(Legs.Upstream, change: o => o with { ConnectTimeout = TimeSpan.FromSeconds(1) });
        using Line client = await bench.ConnectAsync();
        using Socket server = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        Assert.EndsWith("not done within 1s (--connect-timeout)", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
        Assert.Equal(SocketError.Success, await client.EndAsync());
    }

    [Fact]
    public async Task A_client_that_stalls_costs_nothing_but_itself()
    {
        await using var bench = NewTlsBench(Legs.Both, change: o => o with { ConnectTimeout = TimeSpan.FromSeconds(2) });
        using Line silent = await bench.ConnectAsync(), half = await bench.ConnectAsync();
        await half.Socket.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 });
        (TlsEnd client, TlsEnd server) = await TlsPairAsync(bench, Legs.Both); // the first that the server sees
        await client.SayAsync("meanwhile");
        Assert.Equal("meanwhile", await server.HearAsync());
        for (int i = 0; i < 2; i++)
        {
            FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
            Assert.Equal(Leg.Downstream, refused.Leg);
            Assert.Matches(@"^TLS with 127\.0\.0\.1:\d+: not done within 2s \(--connect-timeout\)$", refused.Text);
        }

        Assert.False(bench.Server.Poll(0, SelectMode.SelectRead), "the server was dialled for a client that never shook hands");
        while (bench.Gateway.Flows > 1) await Task.Yield();
    }

    [Fact]
    public async Task A_client_without_TLS_hears_nothing_in_plain_text()
    {
        await using var bench = NewTlsBench(Legs.Downstream, "redis");
        using Line client = await bench.ConnectAsync();
        await client.SayAsync("PING and more of what is no handshake");
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal(Leg.Downstream, refused.Leg);
        Assert.EndsWith("what came is not TLS: is it the right port?", refused.Text, StringComparison.Ordinal);
        byte[] heard = new byte[256];
        int length = await client.Socket.ReceiveAsync(heard).WaitAsync(Bench.Patience);
        Assert.True(length == 0 || heard[0] == 0x15, "an alert at most"); // RFC 8446 section 6
    }

    [Theory]
    [InlineData("-tls1_3", "the other end does not trust our certificate (tlsv1 alert unknown ca): give it the root of ours")]
    [InlineData("-tls1_2", "the other end does not trust our certificate (tlsv1 alert unknown ca): give it the root of ours")]
    [InlineData("-tls1_1", "the two have no version of TLS in common (unsupported protocol): here it is 1.2 or 1.3")]
    public async Task A_client_that_does_not_like_us_is_told_apart(string version, string why)
    {
        Requires.Programs("openssl");
        using var stranger = new Authority("stranger");
        await using var bench = NewTlsBench(Legs.Downstream);
        await using ChildProcess client = await ChildProcess.StartAsync(
            ["openssl", "s_client", "-connect", $"{bench.Gateway.Listening}", "-CAfile", stranger.RootFile, "-verify_return_error", version, "-cipher", "DEFAULT@SECLEVEL=0"]);
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal(Leg.Downstream, refused.Leg);
        Assert.Contains(why, refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_is_refused_inside_TLS()
    {
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        await using var bench = NewTlsBench(Legs.Downstream, "redis", o => o with { To = new HostPort("127.0.0.1", DataEnds.PortOf(deaf)) });
        TlsEnd client = await ClientAsync(bench, Legs.Downstream);
        Assert.Equal("-ERR max number of clients reached", await client.HearAsync());
        Assert.True(await client.IsEndedAsync());
        Assert.Contains("Connection refused", (await bench.EventAsync(FlowEventKind.Refused)).Text, StringComparison.Ordinal);
    }

    private async Task RefusedAsync((string, string) files, TlsUpstream? by, params string[] why)
    {
        await using var bench = NewTlsBench(Legs.Upstream, change: o => by is null ? o : o with { TlsUpstream = by });
        using Line client = await bench.ConnectAsync();
        await client.SayAsync("secret");
        using Socket server = await bench.Server.AcceptAsync().WaitAsync(Bench.Patience);
        Exception? failure = await Record.ExceptionAsync(async () =>
        {
            using TlsEnd end = await TlsEnd.AsServerAsync(server, files);
            Assert.Equal(0, await end.Stream.ReadAsync(new byte[16]).AsTask().WaitAsync(Bench.Patience)); // TLS 1.3: done for the server before the client has judged it
        });
        Assert.True(failure is null or IOException or System.Security.Authentication.AuthenticationException, $"{failure}");
        FlowEvent refused = await bench.EventAsync(FlowEventKind.Refused);
        Assert.Equal(Leg.Upstream, refused.Leg);
        foreach (string part in why) Assert.Contains(part, refused.Text, StringComparison.Ordinal);
        Assert.Equal(SocketError.Success, await client.EndAsync());
    }
}
