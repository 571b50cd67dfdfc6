using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// Kestrel, in this process and on a host of the lab. It sends no pings of its own: what a WebSocket says comes back, a stream
/// of events says one thing at once and another when told to, a poll is answered when told to. A page may report.
/// </summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Socket _listener;
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<string> _reports = Channel.CreateUnbounded<string>();

    private WebServer(Socket listener, HttpProtocols protocols, Action<HttpsConnectionAdapterOptions>? https)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)listener.Handle, on =>
        {
            on.Protocols = protocols;
            if (https is not null) on.UseHttps(https);
        }));
        (_application, _listener) = (builder.Build(), listener);
        _application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        _application.Run(ServeAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>What is served as <c>/page</c>.</summary>
    public string Page { get; set; } = "";

    /// <summary>What pages reported, as "name=what".</summary>
    public ChannelReader<string> Reports => _reports.Reader;

    /// <param name="listener">Taken over; it belongs to the host it was made on.</param>
    /// <param name="protocols">In clear text it is the one or the other.</param>
    /// <param name="https">Its certificate; null for no TLS.</param>
    public static async Task<WebServer> StartAsync(Socket listener, HttpProtocols protocols = HttpProtocols.Http1, Action<HttpsConnectionAdapterOptions>? https = null)
    {
        var server = new WebServer(listener, protocols, https);
        await server._application.StartAsync();
        return server;
    }

    /// <summary>Polls are answered, and streams say their second thing.</summary>
    public void Tell() => _told.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(atOnce.Token);
        await _application.DisposeAsync();
        _listener.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        try
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            if (context.WebSockets.IsWebSocketRequest) await EchoAsync(context);
            else if (context.Request.Path == "/events") await SayEventsAsync(context);
            else if (context.Request.Path == "/report") await TakeReportAsync(context);
            else if (context.Request.Path == "/poll") await AnswerLateAsync(context);
            else await context.Response.WriteAsync(Page);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client was cut off.
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[4096];
        while (true)
        {
            WebSocketReceiveResult said = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (said.MessageType == WebSocketMessageType.Close) return;
            await socket.SendAsync(buffer.AsMemory(0, said.Count), said.MessageType, said.EndOfMessage, context.RequestAborted);
        }
    }

    private async Task SayEventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("data: one\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await _told.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("data: two\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    }

    // On a connection of its own: one that was kept for the next report would itself be forgotten on the way.
    private async Task TakeReportAsync(HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        await _reports.Writer.WriteAsync(context.Request.QueryString.Value![1..]);
    }

    private async Task AnswerLateAsync(HttpContext context)
    {
        await _told.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("news", context.RequestAborted);
    }
}
