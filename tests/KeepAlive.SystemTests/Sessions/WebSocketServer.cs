using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>Kestrel, in this process and on a host of the lab: what a WebSocket says comes back. It sends no pings of its own.</summary>
internal sealed class WebSocketServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Socket _listener;

    private WebSocketServer(WebApplication application, Socket listener) => (_application, _listener) = (application, listener);

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <param name="listener">Taken over; it belongs to the host it was made on.</param>
    public static async Task<WebSocketServer> StartAsync(Socket listener)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)listener.Handle));
        WebApplication application = builder.Build();
        application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        application.Run(ServeAsync);
        await application.StartAsync();
        return new WebSocketServer(application, listener);
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(atOnce.Token);
        await _application.DisposeAsync();
        _listener.Dispose();
    }

    private static async Task ServeAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest) return;
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                WebSocketReceiveResult said = await socket.ReceiveAsync(buffer, context.RequestAborted);
                if (said.MessageType == WebSocketMessageType.Close) return;
                await socket.SendAsync(buffer.AsMemory(0, said.Count), said.MessageType, said.EndOfMessage, context.RequestAborted);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client was cut off.
        }
    }
}
