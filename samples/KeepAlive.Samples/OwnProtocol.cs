using System.Net.Sockets;

namespace KeepAlive.Samples;

/// <summary>A protocol of lines with a PING of its own: it reaches through proxies, and finds a server that hangs.</summary>
internal static class OwnProtocol
{
    public static async Task<string> AskAsync(string host, bool keepAlive)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, 8082);
        NetworkStream stream = client.GetStream();
        using var reader = new StreamReader(stream);
        await stream.WriteAsync("WAIT\n"u8.ToArray());
        if (!keepAlive) return await reader.ReadLineAsync() ?? throw new EndOfStreamException();

        using KeepAliveFlow flow = KeepAliveClock.Shared.Watch(KeepAlivePolicy.Parse("3:3:1"), () => stream.WriteAsync("PING\n"u8.ToArray()));
        while (await reader.ReadLineAsync(flow.PeerDied) is { } line)
        {
            flow.Touch(); // any line proves that the server is there
            if (line != "PONG") return line;
        }

        throw new EndOfStreamException();
    }
}
