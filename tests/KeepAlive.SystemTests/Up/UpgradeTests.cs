using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>One process of the daemon follows another, under traffic.</summary>
public sealed class UpgradeTests
{
    private const int Upgrades = 4;
    private const int SIGUSR2 = 12;

    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    public async Task Upgrades_drop_no_flow_refuse_no_client_and_lose_no_byte(string engine)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: sockets are handed over");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback), echo = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(2);
        await using UpProcess first = await UpProcess.StartAsync(work, $$"""
            { "gateways": [
              { "name": "long", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true, "engine": "{{engine}}" },
              { "name": "busy", "listen": "127.0.0.1:{{ports[1]}}", "to": "127.0.0.1:{{DataEnds.PortOf(echo)}}", "protocol": "tcp", "noCheck": true, "engine": "{{engine}}" },
            ] }
            """);
        using CancellationTokenSource stop = new(), over = new();
        Task echoing = Traffic.EchoAsync(echo, over.Token);
        Task<int>[] talks = [.. Enumerable.Range(0, 4).Select(_ => Traffic.TalkAsync(ports[1], stop.Token))];
        var all = new List<UpProcess> { first };
        var transfers = new List<Task<(byte[] Sent, byte[] Received)>>();
        try
        {
            for (int i = 0; i <= Upgrades; i++)
            {
                // One begins in each process, and outlives it as the one that accepts.
                transfers.Add(Traffic.TransferAsync(ports[0], server, stop.Token));
                await all[^1].WaitForAsync("connected", 1, "\"gateway\":\"long\"");
                if (i < Upgrades) all.Add(await all[^1].UpgradeAsync());
            }

            await stop.CancelAsync();
            foreach (Task<(byte[] Sent, byte[] Received)> transfer in transfers)
            {
                (byte[] sent, byte[] received) = await transfer.WaitAsync(UpProcess.Patience);
                Assert.Equal(Convert.ToHexString(sent), Convert.ToHexString(received));
            }

            Assert.All(await Task.WhenAll(talks).WaitAsync(UpProcess.Patience), count => Assert.True(count >= 1, "no flow was opened during the upgrades"));
            foreach (UpProcess old in all[..^1]) Assert.Equal(0, await old.EndedAsync());
            Assert.Equal(0, await all[^1].StopAsync());
            Assert.All(all, up => Assert.Equal((0, 0), (up.Count("refused"), up.Count("died"))));
        }
        finally
        {
            foreach (UpProcess up in all[1..]) await up.DisposeAsync();
        }

        await over.CancelAsync();
        await echoing.WaitAsync(UpProcess.Patience);
    }

    [Fact]
    public async Task The_page_is_where_it_was()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: sockets are handed over");
        using var work = new WorkFolder();
        int port = Traffic.FreePorts(1)[0];
        await using UpProcess first = await UpProcess.StartAsync(work, $$"""{ "dashboard": { "listen": "127.0.0.1:{{port}}" } }""");
        await first.WaitForAsync("page", 1);
        await using UpProcess second = await first.UpgradeAsync();
        await second.WaitForAsync("page", 1, $"http://127.0.0.1:{port}/");
        Assert.Equal(0, await first.EndedAsync());
        using var http = new HttpClient();
        Assert.Equal("ok", await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/readyz"), TestContext.Current.CancellationToken).WaitAsync(UpProcess.Patience, TestContext.Current.CancellationToken));
        Assert.Equal(0, await second.StopAsync());
    }

    [Fact]
    public async Task A_successor_that_cannot_begin_changes_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: sockets are handed over");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback), taken = DataEnds.Listen(IPAddress.Loopback);
        string Gateway(string name, int port) => $$"""{ "name": "{{name}}", "listen": "127.0.0.1:{{port}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true }""";
        int[] ports = Traffic.FreePorts(1);
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""{ "gateways": [ {{Gateway("good", ports[0])}} ] }""");
        // Refused by the one that runs, and then by its successor, which has the listener by then.
        await up.RewriteAsync($$"""{ "gateways": [ {{Gateway("good", ports[0])}}, {{Gateway("late", DataEnds.PortOf(taken))}} ] }""", "refused");
        await using UpProcess next = await up.AgainAsync("--upgrade");
        Assert.Equal(1, await next.EndedAsync());
        Assert.StartsWith($"keepalive up: late: cannot listen on 127.0.0.1:{DataEnds.PortOf(taken)}: EADDRINUSE", next.Transcript, StringComparison.Ordinal);
        await up.WaitForAsync("refused", 1, "ended before it was ready");
        using Line near = await DataEnds.DialAsync(ports[0]);
        using var far = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await DataEnds.TalkAsync(near, far);
        Assert.Equal(0, await up.StopAsync());

        await using UpProcess nobody = await up.AgainAsync("--upgrade");
        Assert.Equal(1, await nobody.EndedAsync());
        Assert.Contains("no 'keepalive up' of this user and this file runs", nobody.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_is_enough()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: sockets are handed over");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""{ "gateways": [ { "name": "one", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true } ] }""");
        int port = await up.PortOfAsync("one");
        using Line old = await DataEnds.DialAsync(port);
        using var oldFar = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await up.SignalAsync($"{SIGUSR2}");
        // Both write to the same place; the successor is nobody's child, so that it is ended by its number.
        string told = (await up.WaitForAsync("upgraded", 1, "accepts from now on")).GetProperty("text").GetString()!;
        int successor = int.Parse(told.Split(' ')[1], CultureInfo.InvariantCulture);
        try
        {
            await up.WaitForAsync("upgraded", 1, "has handed over");
            Assert.Equal(2, up.Count("listening"));
            using Line fresh = await DataEnds.DialAsync(port);
            using var freshFar = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
            await DataEnds.TalkAsync(fresh, freshFar);
            await up.SignalAsync("HUP"); // meant for all of them: it must not end the one that only waits
            await DataEnds.TalkAsync(old, oldFar);
        }
        finally
        {
            await ChildProcess.RunAsync(["kill", "-TERM", $"{successor}"]);
        }

        Assert.Equal(0, await up.EndedAsync());
    }

    [Fact]
    public async Task A_listener_of_systemds_is_used_however_often_its_gateway_comes_and_goes()
    {
        Requires.Programs("systemd-socket-activate");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(1);
        string config = $$"""{ "gateways": [ { "name": "one", "listen": "127.0.0.1:{{ports[0]}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true } ] }""";
        // Starts the program when the first client comes, in its own place.
        string file = work.File("keepalive.json");
        await File.WriteAllTextAsync(file, config);
        await using ChildProcess up = await ChildProcess.StartAsync(
            ["systemd-socket-activate", $"--listen=127.0.0.1:{ports[0]}", "--setenv=RUNTIME_DIRECTORY=" + work.Folder("run"), UpProcess.Program, "up", "--json", "--config", file]);
        await up.WaitForLineAsync(line => line.Contains("Listening on", StringComparison.Ordinal), UpProcess.Patience);
        using Line near = await DataEnds.DialAsync(ports[0]);
        using var far = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await DataEnds.TalkAsync(near, far);

        foreach (string next in (string[])["{}", config])
        {
            int before = up.Lines.Count(IsConfigured), seen = 0;
            await File.WriteAllTextAsync(file, next);
            await up.SignalAsync("HUP");
            await up.WaitForLineAsync(line => IsConfigured(line) && ++seen > before, UpProcess.Patience);
        }

        using Line again = await DataEnds.DialAsync(ports[0]);
        using var againFar = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await DataEnds.TalkAsync(again, againFar);
        await up.SignalAsync("TERM");
        await up.WaitForExitAsync(UpProcess.Patience);
        Assert.Equal(0, up.ExitCode);

        static bool IsConfigured(string line) => line.StartsWith("{\"event\":\"configured\"", StringComparison.Ordinal);
    }
}
