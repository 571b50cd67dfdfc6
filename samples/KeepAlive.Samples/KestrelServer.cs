using System.Net.WebSockets;
using System.Text;
using KeepAlive.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KeepAlive.Samples;

/// <summary>A server that takes its time.</summary>
internal static class KestrelServer
{
    public static async Task<string> RunAsync(TimeSpan delay)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(8080);
            kestrel.ListenAnyIP(8081, listen => listen.UseTcpKeepAlive("3:3:1"));
            kestrel.ListenAnyIP(8082, listen => listen.Run(connection => ServeLinesAsync(connection, delay)));
            kestrel.ListenAnyIP(8083, listen => listen.Run(ServeFtpAsync));
            kestrel.Limits.Http2.UseKeepAlive(KeepAlivePolicy.Parse("60:3:20"));
        });
        WebApplication app = builder.Build();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.MapGet("/poll", async () =>
        {
            await Task.Delay(delay);
            return "news";
        });
        app.Map("/ws", async (HttpContext context) =>
        {
            using WebSocket webSocket = await context.WebSockets.AcceptWebSocketAsync();
            Task<WebSocketReceiveResult> reading = webSocket.ReceiveAsync(new byte[1024], CancellationToken.None); // answers pings
            await Task.Delay(delay);
            await webSocket.SendAsync(Encoding.UTF8.GetBytes("news"), WebSocketMessageType.Text, true, CancellationToken.None);
            await Task.WhenAny(reading);
        });
        await app.StartAsync();
        Console.WriteLine("listening");
        await app.WaitForShutdownAsync();
        return "stopped";
    }

    // PING is answered at once, WAIT after a while.
    private static async Task ServeLinesAsync(ConnectionContext connection, TimeSpan delay)
    {
        Stream output = connection.Transport.Output.AsStream();
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        using var writing = new SemaphoreSlim(1);
        while (await reader.ReadLineAsync() is { } line) _ = AnswerAsync(line);

        async Task AnswerAsync(string line)
        {
            if (line == "WAIT") await Task.Delay(delay);
            await writing.WaitAsync();
            await output.WriteAsync(Encoding.UTF8.GetBytes(line == "PING" ? "PONG\n" : "news\n"));
            await output.FlushAsync();
            writing.Release();
        }
    }

    // As much of FTP as a session without files needs.
    private static async Task ServeFtpAsync(ConnectionContext connection)
    {
        Stream output = connection.Transport.Output.AsStream();
        using var reader = new StreamReader(connection.Transport.Input.AsStream());
        for (string reply = "220 ready"; ; reply = Reply(await reader.ReadLineAsync()))
        {
            if (reply.Length == 0) return;
            await output.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"));
            await output.FlushAsync();
        }
    }

    private static string Reply(string? command) => command?.Split(' ')[0] switch
    {
        null => "",
        "USER" => "331 and the password?",
        "PASS" => "230 logged in",
        "PWD" => "257 \"/\"",
        "NOOP" => "200 nothing done",
        _ => "502 not here",
    };
}
