using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>What <c>keepalive gateway --transparent</c> redirects, what it does not, and to whom it dials.</summary>
public sealed class TransparentTests
{
    [Theory]
    [InlineData(false, "auto")]
    [InlineData(false, "portable")]
    [InlineData(true, "auto")]
    [InlineData(true, "portable")]
    public async Task A_connection_is_redirected_once_and_dialled_where_its_program_dialled(bool isIPv6, string engine)
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync(isIPv6);
        Assert.False(await lab.IsRedirectedAsync());
        await using GatewayProcess gateway = await lab.StartAsync("--engine", engine);
        Assert.True(await lab.IsRedirectedAsync());
        await gateway.WaitForAsync("closed", 1, Bench.Patience);
        Assert.Equal((1, 1, 0), (gateway.Count("opened"), gateway.Count("connected"), gateway.Count("refused")));
        Assert.Contains($"to {lab.Server}", gateway.Transcript, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    public async Task One_that_was_dialled_here_directly_is_refused_and_never_looped(string engine)
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync("--engine", engine);
        Line client = await lab.DialAsync(new IPEndPoint(IPAddress.Loopback, gateway.Port));
        Assert.Equal(SocketError.Success, await client.EndAsync());
        await gateway.WaitForAsync("refused", 1, Bench.Patience);
        Assert.Equal(0, gateway.Count("opened"));
        Assert.Contains("not redirected", gateway.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_stays_on_the_machine_is_not_redirected_by_whatever_address()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync();
        foreach (IPAddress own in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback, lab.Network.Client.Address])
        {
            using Socket listener = await lab.Network.Client.InsideAsync(() =>
            {
                var socket = new Socket(own.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(own, lab.Port));
                socket.Listen();
                return socket;
            });
            Line client = await lab.DialAsync(new IPEndPoint(own, lab.Port));
            using Socket far = await listener.AcceptAsync().WaitAsync(Bench.Patience);
            Assert.Equal(client.Socket.LocalEndPoint, far.RemoteEndPoint);
        }

        Assert.Equal(0, gateway.Count("opened"));
    }

    // Where nothing was tracked before, the next segment of each is a new connection to connection tracking.
    [Fact]
    public async Task Connections_that_were_there_before_go_on_and_so_do_they_when_it_ends()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        (Line first, Line firstFar) = await lab.PairAsync();
        (Line second, Line secondFar) = await lab.PairAsync();
        await using GatewayProcess gateway = await lab.StartAsync();
        await DataEnds.TalkAsync(first, firstFar);
        Assert.Equal(0, await gateway.StopAsync());
        await DataEnds.TalkAsync(second, secondFar);
        Assert.Equal((0, 0), (gateway.Count("opened"), gateway.Count("refused")));
    }

    [Fact]
    public async Task A_server_that_refuses_is_told_by_its_address()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync();
        lab.Listener.Dispose();
        Line client = await lab.DialAsync(lab.Server);
        Assert.Equal(SocketError.Success, await client.EndAsync());
        await gateway.WaitForAsync("refused", 1, Bench.Patience);
        Assert.Contains($"cannot connect to {lab.Server}: ", gateway.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_port_has_its_own_protocol()
    {
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        using Socket redis = await lab.Network.Server.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(lab.Network.Server.Address, 6379));
            socket.Listen();
            return socket;
        });
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(lab.Network.Client, ["--transparent", "--port", $"6379,{lab.Port}", "--probe", "1:3:1"]);
        (Line plain, Line plainFar) = await lab.PairAsync();
        Line client = await lab.DialAsync(new IPEndPoint(lab.Network.Server.Address, 6379));
        using var far = new Line(await redis.AcceptAsync().WaitAsync(Bench.Patience));
        await client.SayAsync("GET a");
        Assert.Equal("GET a", await far.HearAsync());
        await far.SayAsync("+b");
        Assert.Equal("+b", await client.HearAsync());
        Assert.Contains("PING", await HearUntilAsync(far, "PING"), StringComparison.Ordinal);
        await gateway.WaitForAsync("probe-sent", 1, Bench.Patience);
        await DataEnds.TalkAsync(plain, plainFar); // in which nothing was put
    }

    [Fact]
    public async Task Only_the_connections_of_a_user_are_redirected_when_one_is_named()
    {
        Requires.Programs("bash");
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync("--user", "nobody");
        Assert.False(await lab.IsRedirectedAsync());
        Assert.Equal(0, gateway.Count("opened"));
        await DialAsync(lab, OrdinaryUser.Prefix);
        await gateway.WaitForAsync("closed", 1, Bench.Patience);
        Assert.Equal(1, gateway.Count("opened"));
    }

    [Fact]
    public async Task Only_the_connections_of_a_cgroup_are_redirected_when_one_is_named()
    {
        Requires.Programs("bash");
        using var cgroup = new CgroupFolder();
        await using TransparentLab lab = await TransparentLab.BuildAsync();
        await using GatewayProcess gateway = await lab.StartAsync("--cgroup", cgroup.Path);
        Assert.False(await lab.IsRedirectedAsync());
        Assert.Equal(0, gateway.Count("opened"));
        await DialAsync(lab, ["sh", "-c", $"echo $$ > {cgroup.Inner}/cgroup.procs; exec \"$@\"", "sh"]);
        await gateway.WaitForAsync("closed", 1, Bench.Patience);
        Assert.Equal(1, gateway.Count("opened"));
    }

    // A program that is started in some way; it ends when the server, whichever way it came there, says a line.
    private static async Task DialAsync(TransparentLab lab, IReadOnlyList<string> prefix)
    {
        await using ChildProcess client = await lab.Network.Client.StartAsync([.. prefix, "bash", "-c", $"exec 3<>/dev/tcp/{lab.Server.Address}/{lab.Port}; read -u 3 line; echo \"$line\""]);
        using var far = new Line(await lab.Listener.AcceptAsync().WaitAsync(Bench.Patience));
        await far.SayAsync("good");
        await client.WaitForLineAsync(line => line.TrimEnd() == "good", Bench.Patience);
    }

    private static async Task<string> HearUntilAsync(Line line, string what)
    {
        string heard;
        do heard = await line.HearAsync();
        while (!heard.Contains(what, StringComparison.Ordinal));
        return heard;
    }
}
