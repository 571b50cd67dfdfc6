using System.Net.WebSockets;
using System.Text;

namespace KeepAlive.Samples;

/// <summary>A WebSocket on which the server is silent for long.</summary>
internal static class WebSockets
{
    public static async Task<string> AskAsync(Uri server, bool keepAlive)
    {
        using var webSocket = new ClientWebSocket();
        if (keepAlive) webSocket.Options.UseKeepAlive(KeepAlivePolicy.Parse("3:3:1"));
        await webSocket.ConnectAsync(server, CancellationToken.None);
        byte[] buffer = new byte[1024];
        WebSocketReceiveResult message = await webSocket.ReceiveAsync(buffer, CancellationToken.None);
        return Encoding.UTF8.GetString(buffer, 0, message.Count);
    }
}
