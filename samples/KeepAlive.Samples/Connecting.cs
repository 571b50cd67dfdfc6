using System.Net.Sockets;

namespace KeepAlive.Samples;

/// <summary>Every address of a name is tried; the one that answers has keepalive.</summary>
internal static class Connecting
{
    public static async Task<string> AskAsync(string host, bool keepAlive)
    {
        var connector = new KeepAliveConnector(keepAlive ? "3:3:1" : "off");
        using Socket socket = await connector.ConnectAsync(host, 8082);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        await stream.WriteAsync("WAIT\n"u8.ToArray());
        return await reader.ReadLineAsync() ?? throw new EndOfStreamException();
    }
}
