using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary><c>keepalive list</c> against sockets whose settings are known.</summary>
public sealed class ListTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");

    // Two sockets, one with keepalive 33:4:5; then waits to be ended.
    private const string Pair = """
        import socket, sys
        l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen()
        a = socket.create_connection(l.getsockname()); b, _ = l.accept()
        for level, name, value in ((6, 4, 33), (6, 5, 5), (6, 6, 4), (6, 18, 53000), (1, 9, 1)): a.setsockopt(level, name, value)
        print(a.getsockname()[1], b.getsockname()[1], flush=True)
        sys.stdin.read(); __import__("signal").pause()
        """;

    [Fact]
    public async Task As_root_it_equals_what_the_sockets_say_of_themselves()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: to load a BPF program");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(64);
        var sockets = new List<Socket>();
        for (int i = 0; i < 40; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!);
            KeepAliveSpec spec = i % 4 == 0 ? KeepAliveSpec.Off : KeepAliveSpec.Of(new KeepAlivePolicy(TimeSpan.FromSeconds(10 + (i * 700)), 1 + (i * 3), TimeSpan.FromSeconds(1 + (i * 11))));
            KernelKeepAlive.Apply(socket, spec, i % 3 == 0 ? UserTimeout.Off : UserTimeout.Of(TimeSpan.FromSeconds(5 + i)));
            sockets.Add(socket);
        }

        JsonElement list = await ListAsync("--pid", $"{Environment.ProcessId}", "--netns", "own");
        Assert.Equal("BPF iterator", list.GetProperty("source").GetString());
        Dictionary<string, JsonElement> byLocal = list.GetProperty("connections").EnumerateArray().ToDictionary(c => c.GetProperty("local").GetString() + c.GetProperty("remote").GetString());
        foreach (Socket socket in sockets)
        {
            JsonElement said = byLocal[$"{socket.LocalEndPoint}{socket.RemoteEndPoint}"];
            KernelKeepAliveValues truth = KernelKeepAlive.Read(socket);
            Assert.Equal(truth.IsOn, said.GetProperty("keepalive").GetBoolean());
            Assert.Equal(truth.Idle!.Value.TotalSeconds, said.GetProperty("idleSeconds").GetInt32());
            Assert.Equal(truth.Count, said.GetProperty("count").GetInt32());
            Assert.Equal(truth.Interval!.Value.TotalSeconds, said.GetProperty("intervalSeconds").GetInt32());
            Assert.Equal(truth.UserTimeout!.Value.TotalMilliseconds, said.GetProperty("userTimeoutMs").GetInt32());
            Assert.Equal(truth.IsOn ? "keepalive" : "none", said.GetProperty("timer").GetString());
            Assert.Contains(said.GetProperty("owners").EnumerateArray(), o => o.GetProperty("pid").GetInt32() == Environment.ProcessId);
            socket.Dispose();
        }
    }

    [Fact]
    public async Task An_ordinary_user_sees_the_real_values_of_its_own_and_unknown_for_others()
    {
        Requires.Programs("python3");
        using var work = new WorkFolder();
        string program = OrdinaryUser.Program(work);
        // By env: it passes over an interpreter in a home that is closed to others.
        await using ChildProcess own = await ChildProcess.StartAsync([.. OrdinaryUser.Prefix, "/usr/bin/env", "python3", "-c", Pair]);
        await using ChildProcess others = await ChildProcess.StartAsync(["python3", "-c", Pair]);
        string[] ports = (await own.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');
        string[] foreign = (await others.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');

        JsonElement list = Holder.Parse(await ChildProcess.RunAsync([.. OrdinaryUser.Prefix, program, "list", "--json", "--netns", "own"]));
        Assert.Equal("pidfd, own processes only", list.GetProperty("source").GetString());
        JsonElement mine = Find(list, ports[0], ports[1]);
        Assert.Equal((true, 33, 4, 5, 53000), (mine.GetProperty("keepalive").GetBoolean(), mine.GetProperty("idleSeconds").GetInt32(),
            mine.GetProperty("count").GetInt32(), mine.GetProperty("intervalSeconds").GetInt32(), mine.GetProperty("userTimeoutMs").GetInt32()));
        Assert.False(Find(list, ports[1], ports[0]).GetProperty("keepalive").GetBoolean());
        JsonElement theirs = Find(list, foreign[0], foreign[1]);
        Assert.False(theirs.TryGetProperty("keepalive", out _));
        Assert.Equal("unknown", theirs.GetProperty("verdict").GetString());
    }

    [Fact]
    public async Task Other_network_namespaces_are_read_as_well()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using ChildProcess holder = await lab.Client.StartAsync(["python3", "-c", Pair]);
        string[] ports = (await holder.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');
        JsonElement there = Find(await ListAsync("--pid", $"{holder.Id}"), ports[0], ports[1]);
        Assert.Equal(33, there.GetProperty("idleSeconds").GetInt32());
        Assert.Equal(0, (await ListAsync("--pid", $"{holder.Id}", "--netns", "own")).GetProperty("connections").GetArrayLength());
    }

    // Opens and closes some 1000 connections a second in 4 threads, at most 32,000: each keeps a port for a minute.
    private const string Churner = """
        import socket, threading, time
        l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(512)
        print("port", l.getsockname()[1], flush=True)
        def churn():
            for _ in range(8000):
                a = socket.create_connection(l.getsockname()); b, _ = l.accept(); a.close(); b.close(); time.sleep(0.004)
        threads = [threading.Thread(target=churn) for _ in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        print("done", flush=True)
        """;

    [Fact]
    public async Task While_others_come_and_go_it_has_every_socket_once_with_its_own_owner()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder still = await Holder.StartAsync(lab.Client, [], 300, "6:4:33");
        string filter = $"( sport = :{still.Port} or dport = :{still.Port} )";
        Assert.Equal(await CountAsync(lab, "ss", "-tanH"), (await Holder.ListAsync(lab.Client, "--all")).Length);

        await using ChildProcess churner = await lab.Client.StartAsync(["/usr/bin/env", "python3", "-c", Churner]);
        string port = (await churner.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), TimeSpan.FromSeconds(20)))[5..];
        for (int round = 0; round < 6; round++)
        {
            JsonElement[] all = await Holder.ListAsync(lab.Client, "--all");
            JsonElement[] stays = [.. all.Where(c => Has(c, $"{still.Port}"))];
            Assert.Equal(await CountAsync(lab, "ss", "-tanH", filter), stays.Length);
            Assert.All(stays, c => Assert.Equal($"{still.Pid}", Owner(c)));
            Assert.Equal(300, stays.Count(c => Holder.Spell(c) == "off" && c.GetProperty("idleSeconds").GetInt32() == 33));
            Assert.All(all.Where(c => Has(c, port)), c => Assert.Contains(Owner(c), (string[])["", $"{churner.Id}"]));
            Assert.Equal(all.Length, all.DistinctBy(c => (c.GetProperty("local").GetString(), c.GetProperty("remote").GetString())).Count());
        }

        Assert.DoesNotContain("done", churner.Lines); // they came and went all the while
        await churner.DisposeAsync();
        // TIME-WAIT ends by itself: what is listed lies between what was there before and what is there afterwards.
        int before = await CountAsync(lab, "ss", "-tanH"), listed = (await Holder.ListAsync(lab.Client, "--all")).Length, after = await CountAsync(lab, "ss", "-tanH");
        Assert.InRange(listed, after, before);
        Assert.True(listed > 602, "no connection is in TIME-WAIT: the churn was none");
    }

    [Fact]
    public async Task States_order_and_watching()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder holder = await Holder.StartAsync(lab.Client, [], 2, "1:9:1", "6:4:60");
        Assert.Equal(["established"], (await Holder.ListAsync(lab.Client)).Select(c => c.GetProperty("state").GetString()).Distinct());
        Assert.Equal("listening", Assert.Single(await Holder.ListAsync(lab.Client, "--state", "listening,syn-sent")).GetProperty("state").GetString());
        Assert.Equal(5, (await Holder.ListAsync(lab.Client, "--listeners")).Length);
        Assert.Equal(["unnoticed", "unnoticed", "ok", "ok"], (await Holder.ListAsync(lab.Client, "--sort", "verdict")).Select(c => c.GetProperty("verdict").GetString()));

        await using ChildProcess watch = await lab.Client.StartAsync([Program, "list", "--watch", "--json", "--netns", "own"]);
        await watch.WaitForLineAsync(_ => watch.Lines.Count(l => l.StartsWith('{')) >= 2, TimeSpan.FromSeconds(20));
        Assert.All(watch.Lines.Where(l => l.StartsWith('{')).Take(2), l => Assert.Equal(4, JsonDocument.Parse(l).RootElement.GetProperty("connections").GetArrayLength()));
        await watch.SignalAsync("INT");
        await watch.WaitForExitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, watch.ExitCode);

        string table = await lab.Client.RunAsync([Program, "list", "--netns", "own"]);
        Assert.Contains("4 sockets, 2 of which die unnoticed; real values by BPF iterator", table, StringComparison.Ordinal);
        Assert.Equal(2, table.Split("60:9:75").Length - 1);
        Assert.Equal(2, table.Split("dies unnoticed: keepalive off").Length - 1);
    }

    [Fact]
    public async Task A_namespace_is_entered_through_whoever_is_left_in_it_and_never_through_somebody_else()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using Holder holder = await Holder.StartAsync(lab.Client, [], 1);
        NetworkNamespace own = NetworkNamespace.Own, place = NetworkNamespace.All().Single(n => n.Pid == holder.Pid);
        foreach (int pid in (int[])[int.MaxValue, own.Pid]) // ended; ended, and the number is another's
            Assert.Equal(2, (place with { Pid = pid }).Run(() => InetDiag.Dump(TcpStates.Lasting)).Count);
        await holder.DisposeAsync();
        Assert.Contains("the last process in it has ended", Assert.Throws<SyscallException>(() => (place with { Pid = own.Pid }).Run(() => 0)).Message, StringComparison.Ordinal);
    }

    private static bool Has(JsonElement connection, string port) =>
        connection.GetProperty("local").GetString()!.EndsWith($":{port}", StringComparison.Ordinal) || connection.GetProperty("remote").GetString()!.EndsWith($":{port}", StringComparison.Ordinal);

    private static string Owner(JsonElement connection) => string.Join(',', connection.GetProperty("owners").EnumerateArray().Select(o => o.GetProperty("pid").GetInt32()));

    private static async Task<int> CountAsync(NetworkLab lab, params string[] command) =>
        (await lab.Client.RunAsync(command)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private static JsonElement Find(JsonElement list, string local, string remote) => list.GetProperty("connections").EnumerateArray().Single(c =>
        c.GetProperty("local").GetString() == $"127.0.0.1:{local}" && c.GetProperty("remote").GetString() == $"127.0.0.1:{remote}");

    private static async Task<JsonElement> ListAsync(params string[] options) => Holder.Parse(await ChildProcess.RunAsync([Program, "list", "--json", .. options]));
}
