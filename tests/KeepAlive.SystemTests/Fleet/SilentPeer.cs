using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>A server that answers Redis' <c>PING</c> in a process of its own, until it is stopped: its kernel goes on to acknowledge.</summary>
internal sealed class SilentPeer : IAsyncDisposable
{
    private const string Source = """
        import socket, threading
        def serve(peer):
            while data := peer.recv(4096): peer.sendall(b"+PONG\r\n" * data.upper().count(b"PING"))
        listener = socket.create_server(("127.0.0.1", 0)); print("port", listener.getsockname()[1], flush=True)
        while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;

    private SilentPeer(ChildProcess process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<SilentPeer> StartAsync()
    {
        Requires.Programs("python3");
        ChildProcess process = await ChildProcess.StartAsync(["/usr/bin/env", "python3", "-c", Source]);
        string line = await process.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), Patience);
        return new SilentPeer(process, int.Parse(line["port ".Length..], CultureInfo.InvariantCulture));
    }

    /// <summary>Somebody who speaks with it through a gateway, and has had an answer.</summary>
    public static async Task<TcpClient> SpeakAsync(int port)
    {
        var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
        byte[] answer = new byte[7];
        await client.GetStream().ReadExactlyAsync(answer).AsTask().WaitAsync(Patience);
        Assert.Equal("+PONG\r\n", Encoding.ASCII.GetString(answer));
        return client;
    }

    /// <summary>From now on it says nothing.</summary>
    public Task StopAsync() => _process.SignalAsync("STOP");

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
