using System.Globalization;
using KeepAlive.Sockets;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>What an idle flow holds, in bytes of the managed heap; its ends are another process's, so that nothing of them counts.</summary>
[Collection(Alone.Name)] // the heap is the process's
public sealed class IdleFlowMemoryTests
{
    private const int Flows = 2000;

    // A server that greets and answers once; clients that say one line each and are silent from then on.
    internal const string Common = """
        import resource, signal, socket, sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        kept = []

        """;

    internal const string Server = Common + """
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        print(listener.getsockname()[1], flush=True)
        while True:
            peer, _ = listener.accept()
            kept.append(peer)
            peer.sendall(b"220 ready\r\n")
            peer.recv(100)
            peer.sendall(b"230 in\r\n")
        """;

    private const string Clients = Common + """
        for _ in range(int(sys.argv[2])):
            client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            client.recv(100)
            client.sendall(b"USER u\r\n")
            client.recv(100)
            kept.append(client)
        print("idle", flush=True)
        signal.pause()
        """;

    // Measured: 430 and 1,330. Of a plain flow's, some 350 are its counters, relay, wire and place in the clock; the rest is tables that double.
    [Theory]
    [InlineData("tcp", 512)]
    [InlineData("ftp", 2048)]
    public async Task Is_bounded(string protocol, int bytesMax)
    {
        Requires.Programs("python3", "setpriv");
        await using ChildProcess server = await ChildProcess.StartAsync(["python3", "-c", Server]);
        int port = int.Parse(await server.WaitForLineAsync(line => line.Length > 0, Bench.Patience), CultureInfo.InvariantCulture);
        await using var bench = new Bench(protocol, o => o with { To = new HostPort("127.0.0.1", port) }, told: _ => false);
        // What the first flow of a process costs, and others do not, is none of theirs.
        await using ChildProcess first = await StartClientsAsync(bench, 1);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await using ChildProcess clients = await StartClientsAsync(bench, Flows);
        Assert.Equal(1 + Flows, bench.Gateway.Flows);
        double each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Flows;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{protocol}: {each:0} bytes of the managed heap a flow"));
        Assert.True(each <= bytesMax, $"{each:0} bytes a flow");
    }

    private static async Task<ChildProcess> StartClientsAsync(Bench bench, int count)
    {
        ChildProcess clients = await ChildProcess.StartAsync(["python3", "-c", Clients, $"{bench.Gateway.Listening.Port}", $"{count}"]);
        await clients.WaitForLineAsync(line => line == "idle", Bench.Patience);
        return clients;
    }
}
