using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.SystemTests.Gateway;

namespace KeepAlive.SystemTests.Up;

/// <summary>What goes through gateways while something is done to them.</summary>
internal static class Traffic
{
    /// <summary>Sends until it is told to stop; what was sent, and what came.</summary>
    public static async Task<(byte[] Sent, byte[] Received)> TransferAsync(int port, Socket server, CancellationToken stop)
    {
        using Line client = await DataEnds.DialAsync(port);
        using Socket far = await server.AcceptAsync(CancellationToken.None);
        Task<byte[]> received = Task.Run(async () =>
        {
            await using var stream = new NetworkStream(far);
            return await SHA256.HashDataAsync(stream);
        }, CancellationToken.None);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[32 * 1024];
        while (!stop.IsCancellationRequested)
        {
            Random.Shared.NextBytes(chunk);
            sent.AppendData(chunk);
            await client.Socket.SendAsync(chunk, CancellationToken.None).AsTask().WaitAsync(UpProcess.Patience, CancellationToken.None);
        }

        client.Socket.Shutdown(SocketShutdown.Send);
        return (sent.GetHashAndReset(), await received.WaitAsync(UpProcess.Patience, CancellationToken.None));
    }

    /// <summary>One flow after another, each answered; how many.</summary>
    public static async Task<int> TalkAsync(int port, CancellationToken stop)
    {
        int count = 0;
        for (; !stop.IsCancellationRequested; count++)
        {
            using Line line = await DataEnds.DialAsync(port);
            await line.SayAsync("anybody?");
            Assert.Equal("anybody?", await line.HearAsync());
        }

        return count;
    }

    public static async Task EchoAsync(Socket listener, CancellationToken stop)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                Socket accepted = await listener.AcceptAsync(stop);
                open.Add(Task.Run(async () =>
                {
                    using var line = new Line(accepted);
                    await line.SayAsync(await line.HearAsync());
                    await line.EndAsync();
                }, CancellationToken.None));
            }
        }
        catch (OperationCanceledException)
        {
            // All of them are over.
        }

        listener.Close();
        await Task.WhenAll(open);
    }

    public static int[] FreePorts(int count)
    {
        Socket[] held = [.. Enumerable.Range(0, count).Select(_ => DataEnds.ListenOnLastingPort())];
        int[] ports = [.. held.Select(DataEnds.PortOf)];
        foreach (Socket socket in held) socket.Dispose();
        return ports;
    }
}
