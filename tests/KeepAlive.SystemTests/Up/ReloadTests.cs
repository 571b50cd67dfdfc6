using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Settings;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Up;

/// <summary><c>keepalive up</c> and changes of its file under traffic.</summary>
public sealed class ReloadTests
{
    private const int Reloads = 100;

    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    public async Task Reloads_drop_no_flow_and_lose_no_byte(string engine)
    {
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback), echo = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(3);
        string Config(int round) => $$"""
            { "gateways": [
              { "name": "same", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true, "engine": "{{engine}}" },
              { "name": "changed", "listen": "127.0.0.1:{{ports[1]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true, "engine": "{{engine}}" },
              { "name": "busy", "listen": "127.0.0.1:{{ports[2]}}", "to": "127.0.0.1:{{DataEnds.PortOf(echo)}}", "protocol": "tcp", "noCheck": true, "engine": "{{engine}}", "tcp": "{{60 + round}}:3:20", "maxFlows": {{9000 + round}} },
            ] }
            """.Replace("\"changed\",", round == 0 ? "\"changed\"," : $"\"changed\", \"tcp\": \"{30 + round}:3:5\",", StringComparison.Ordinal);
        await using UpProcess up = await UpProcess.StartAsync(work, Config(0));

        using CancellationTokenSource stop = new(), over = new();
        Task<(byte[], byte[])> one = Traffic.TransferAsync(ports[0], server, stop.Token);
        await up.WaitForAsync("connected", 1, "\"gateway\":\"same\""); // so that each transfer finds its own server's end
        Task<(byte[], byte[])> other = Traffic.TransferAsync(ports[1], server, stop.Token);
        Task echoing = Traffic.EchoAsync(echo, over.Token);
        Task<int>[] flows = [.. Enumerable.Range(0, 4).Select(_ => Traffic.TalkAsync(ports[2], stop.Token))];
        for (int i = 1; i <= Reloads; i++)
        {
            // Seen by itself takes a fifth of a second each: some of them are.
            if (i % 10 == 0) await up.RewriteAsync(Config(i));
            else await up.RewriteAsync(Config(i), signal: "HUP");
            // On a busy machine the change is seen before the signal comes, and the file read twice: this one is in force.
            await up.WaitForAsync("listening", 1, $"\"tcp\":\"{60 + i}:3:20\"");
        }

        await stop.CancelAsync();

        foreach (Task<(byte[] Sent, byte[] Received)> transfer in (Task<(byte[], byte[])>[])[one, other])
        {
            (byte[] sent, byte[] received) = await transfer.WaitAsync(UpProcess.Patience);
            Assert.Equal(Convert.ToHexString(sent), Convert.ToHexString(received));
        }

        int[] talks = await Task.WhenAll(flows).WaitAsync(UpProcess.Patience);
        Assert.All(talks, count => Assert.True(count >= 1, "no flow was opened during the reloads"));
        await over.CancelAsync();
        await echoing.WaitAsync(UpProcess.Patience);
        Assert.Equal((0, 0), (up.Count("refused"), up.Count("died")));
        Assert.Equal(1 + (2 * (Reloads + 1)), up.Count("listening")); // the one that is the same never again
        Assert.Equal(0, await up.StopAsync());
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    public async Task Another_policy_reaches_the_living_flow_and_the_page_and_a_fault_elsewhere_keeps_it_back(string engine)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: to read other programs' options");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback), taken = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(1);
        string Config(string policy, string more = "") => $$"""
            { "gateways": [ { "name": "ftp", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "ftp", "noCheck": true, "engine": "{{engine}}", {{policy}} } {{more}} ] }
            """;
        await using UpProcess up = await UpProcess.StartAsync(work, Config("\"tcp\": \"60:3:20\", \"probe\": \"1h:3:10\""));
        (Line near, Line far) = await PairAsync(ports[0], server, up, 1);
        await far.SayAsync("220 ready");
        Assert.Equal("220 ready", await near.HearAsync());
        await Bench.PassAsync(near, far, "USER u", "230 in");

        string next = "\"tcp\": \"11:5:7\", \"userTimeout\": \"40s\", \"probe\": \"300ms:3:20s\"";
        await up.RewriteAsync(Config(next, $$""", { "name": "late", "listen": "127.0.0.1:{{DataEnds.PortOf(taken)}}", "to": "127.0.0.1:1" }"""), "refused");
        Assert.Equal(("60:3:20 0", "60:3:20 0"), (OptionsOf(up, near), OptionsOf(up, far)));

        await up.RewriteAsync(Config(next));
        await up.WaitForAsync("configured", 1, "1 changed for living flows too");
        await up.WaitForAsync("listening", 1, "\"tcp\":\"11:5:7\",\"probe\":\"300ms:3:20\"");
        Assert.Equal(("11:5:7 40000", "11:5:7 40000"), (OptionsOf(up, near), OptionsOf(up, far)));
        Assert.Equal("NOOP", await far.HearAsync()); // an hour early
        await far.SayAsync("200 ours");
        await up.WaitForAsync("probe-answered", 1);
        Assert.Equal((0, 0), (up.Count("died"), up.Count("closed")));
        near.Dispose();
        far.Dispose();
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task A_policy_that_comes_while_data_is_under_way_finds_the_peer_dead()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        string Config(string tcp) => $$"""
            { "gateways": [ { "name": "one", "listen": "127.0.0.1:0", "to": "{{lab.Server.Address}}:{{DataEnds.PortOf(listener)}}", "protocol": "tcp", "noCheck": true, "tcp": "{{tcp}}" } ] }
            """;
        await using UpProcess up = await UpProcess.StartAsync(work, Config("off"), lab.Client);
        using var client = new Line(await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)));
        await client.Socket.ConnectAsync(IPAddress.Loopback, await up.PortOfAsync("one"));
        using var server = new Line(await listener.AcceptAsync().WaitAsync(UpProcess.Patience));
        await client.SayAsync("there");
        Assert.Equal("there", await server.HearAsync());

        await lab.SwallowEverythingAsync();
        await client.SayAsync("lost"); // for a quarter of an hour, as the kernel would have it
        await up.RewriteAsync(Config("2:3:1"));
        Assert.Equal(SocketError.ConnectionReset, await client.EndAsync());
        await up.WaitForAsync("died", 1, "nothing sent to it was acknowledged for 5s");
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task A_gateway_that_is_gone_drains_and_those_that_stay_know_nothing_of_it()
    {
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        int to = DataEnds.PortOf(server);
        int[] ports = Traffic.FreePorts(2);
        string stays = $$"""{ "name": "stays", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{to}}", "protocol": "tcp", "noCheck": true }""";
        string goes = $$"""{ "name": "goes", "listen": "127.0.0.1:{{ports[1]}}", "to": "127.0.0.1:{{to}}", "protocol": "tcp", "noCheck": true, "drain": "1h" }""";
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""{ "gateways": [ {{stays}}, {{goes}} ] }""");
        (Line near, Line far) = await PairAsync(ports[0], server, up, 1);
        (Line goingNear, Line goingFar) = await PairAsync(ports[1], server, up, 2);
        await up.RewriteAsync($$"""{ "gateways": [ {{stays}} ] }""");
        await Assert.ThrowsAsync<SocketException>(() => DataEnds.DialAsync(ports[1]));
        foreach ((Line a, Line b) in ((Line, Line)[])[(near, far), (goingNear, goingFar)]) await DataEnds.TalkAsync(a, b);
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task What_is_wrong_is_refused_whole_and_what_was_in_force_goes_on()
    {
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback), taken = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(2);
        string good = $$"""{ "name": "good", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true }""";
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""{ "gateways": [ {{good}} ] }""");
        await up.RewriteAsync("{ \"gateways\": [],\n  \"gatway\": 1 }", "refused");
        await up.WaitForAsync("refused", 1, "keepalive.json:2:3: 'gatway' is not known");
        await up.WaitForAsync("refused", 1, "nothing was changed");
        // What is right by itself, and cannot be: none of it comes to be.
        await up.RewriteAsync($$"""
            { "gateways": [ { "name": "fresh", "listen": "127.0.0.1:{{ports[1]}}", "to": "127.0.0.1:1" }, { "name": "late", "listen": "127.0.0.1:{{DataEnds.PortOf(taken)}}", "to": "127.0.0.1:1" } ] }
            """, "refused");
        await up.WaitForAsync("refused", 1, $"late: cannot listen on 127.0.0.1:{DataEnds.PortOf(taken)}: EADDRINUSE");
        await Assert.ThrowsAsync<SocketException>(() => DataEnds.DialAsync(ports[1]));
        (Line near, Line far) = await PairAsync(ports[0], server, up, 1);
        await DataEnds.TalkAsync(near, far);

        await up.RewriteAsync($$"""{ "gateways": [ {{good}} ] } // again""");
        await up.SignalAsync("HUP");
        await up.WaitForAsync("configured", 3);
        Assert.Equal(1, up.Count("listening"));
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task A_gateway_that_cannot_listen_at_start_is_named()
    {
        using var work = new WorkFolder();
        using Socket taken = DataEnds.Listen(IPAddress.Loopback);
        string file = work.File("taken.json");
        await File.WriteAllTextAsync(file, $$"""{ "gateways": [ { "name": "free", "listen": "127.0.0.1:0", "to": "127.0.0.1:1" }, { "name": "mine", "listen": "127.0.0.1:{{DataEnds.PortOf(taken)}}", "to": "127.0.0.1:1" } ] }""");
        await using ChildProcess up = await ChildProcess.StartAsync([UpProcess.Program, "up"], environment: new Dictionary<string, string> { ["KEEPALIVE_CONFIG"] = file });
        await up.WaitForExitAsync(UpProcess.Patience);
        Assert.Equal(1, up.ExitCode);
        Assert.StartsWith($"keepalive up: mine: cannot listen on 127.0.0.1:{DataEnds.PortOf(taken)}: EADDRINUSE", up.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewed_certificate_is_taken_on_SIGHUP()
    {
        using var work = new WorkFolder();
        using var authority = new Authority();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        (string certificate, string key) = authority.Issue();
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""
            { "gateways": [ { "name": "tls", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true, "tlsDownstream": ["{{certificate}}", "{{key}}"] } ] }
            """);
        int port = await up.PortOfAsync("tls");
        string before = await SerialAsync(port, authority);
        (string fresh, string freshKey) = authority.Issue();
        File.Move(fresh, certificate, overwrite: true);
        File.Move(freshKey, key, overwrite: true);
        await up.SignalAsync("HUP");
        await up.WaitForAsync("configured", 2);
        Assert.NotEqual(before, await SerialAsync(port, authority));
        Assert.Equal(0, await up.StopAsync());
    }

    // Of the certificate that is shown there.
    private static async Task<string> SerialAsync(int port, Authority authority)
    {
        Line line = await DataEnds.DialAsync(port);
        using TlsEnd end = await TlsEnd.AsClientAsync(line.Socket, authority.RootFile);
        return ((SslStream)end.Stream).RemoteCertificate!.GetSerialNumberString();
    }

    // The daemon's end of a connection: idle:count:interval in seconds, user timeout in milliseconds.
    private static string OptionsOf(UpProcess up, Line end)
    {
        SocketOptions options = ConnectionReader.Read(new ConnectionScope { Pid = up.Id }).Connections
            .Single(c => c.Socket.Local.Equals(end.Socket.RemoteEndPoint) && c.Socket.Remote.Equals(end.Socket.LocalEndPoint)).Options!;
        return $"{ConnectionVerdict.Spec(options)} {options.UserTimeout}";
    }

    private static async Task<(Line Near, Line Far)> PairAsync(int port, Socket server, UpProcess up, int connected)
    {
        Line near = await DataEnds.DialAsync(port);
        var far = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await up.WaitForAsync("connected", connected);
        return (near, far);
    }
}
