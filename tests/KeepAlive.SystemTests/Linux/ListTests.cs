using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.Core;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary><c>keepalive list</c> against sockets whose settings are known.</summary>
public sealed class ListTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");

    // Two sockets, one with keepalive 33:4:5; then waits to be ended.
    private const string Holder = """
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
        await using ChildProcess own = await ChildProcess.StartAsync([.. OrdinaryUser.Prefix, "/usr/bin/env", "python3", "-c", Holder]);
        await using ChildProcess others = await ChildProcess.StartAsync(["python3", "-c", Holder]);
        string[] ports = (await own.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');
        string[] foreign = (await others.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');

        JsonElement list = Parse(await ChildProcess.RunAsync([.. OrdinaryUser.Prefix, program, "list", "--json", "--netns", "own"]));
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
        await using ChildProcess holder = await lab.Client.StartAsync(["python3", "-c", Holder]);
        string[] ports = (await holder.WaitForLineAsync(l => char.IsDigit(l[0]), TimeSpan.FromSeconds(20))).Split(' ');
        JsonElement there = Find(await ListAsync("--pid", $"{holder.Id}"), ports[0], ports[1]);
        Assert.Equal(33, there.GetProperty("idleSeconds").GetInt32());
        Assert.Equal(0, (await ListAsync("--pid", $"{holder.Id}", "--netns", "own")).GetProperty("connections").GetArrayLength());
    }

    private static JsonElement Find(JsonElement list, string local, string remote) => list.GetProperty("connections").EnumerateArray().Single(c =>
        c.GetProperty("local").GetString() == $"127.0.0.1:{local}" && c.GetProperty("remote").GetString() == $"127.0.0.1:{remote}");

    private static async Task<JsonElement> ListAsync(params string[] options) => Parse(await ChildProcess.RunAsync([Program, "list", "--json", .. options]));

    // What could not be seen goes to stderr, behind the object.
    private static JsonElement Parse(string output)
    {
        int end = output.LastIndexOf("\n}", StringComparison.Ordinal) + 2;
        return JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..end]).RootElement;
    }
}
