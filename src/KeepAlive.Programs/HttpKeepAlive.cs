using System.Net.WebSockets;

namespace KeepAlive;

/// <summary>Keepalive of HTTP's and WebSocket's clients from one policy.</summary>
public static class HttpKeepAlive
{
    // SocketsHttpHandler.KeepAlivePingDelay and KeepAlivePingTimeout take no less.
    private static readonly TimeSpan PingMin = TimeSpan.FromSeconds(1);

    /// <summary>Gives every connection of the handler kernel keepalive: what long polling and pooled connections need behind a NAT.</summary>
    /// <param name="handler">A handler that was not used yet; its <see cref="SocketsHttpHandler.ConnectCallback"/> is replaced.</param>
    /// <param name="spec"><c>idle:count:interval</c> as in <c>60:3:20</c>: <see cref="KeepAliveSpec"/>.</param>
    /// <returns>The handler.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">The text is no SPEC; the message names every fault and its fix.</exception>
    /// <exception cref="InvalidOperationException">The handler was used.</exception>
    public static SocketsHttpHandler UseTcpKeepAlive(this SocketsHttpHandler handler, string spec) => handler.UseTcpKeepAlive(KeepAliveSpec.Parse(spec));

    /// <inheritdoc cref="UseTcpKeepAlive(SocketsHttpHandler, string)"/>
    /// <param name="handler">A handler that was not used yet; its <see cref="SocketsHttpHandler.ConnectCallback"/> is replaced.</param>
    /// <param name="spec">What is asked for; of a policy, <see cref="KeepAliveSpec.Of"/>.</param>
    public static SocketsHttpHandler UseTcpKeepAlive(this SocketsHttpHandler handler, KeepAliveSpec spec)
    {
        ArgumentNullException.ThrowIfNull(handler);
        handler.ConnectCallback = new KeepAliveConnector(spec).ConnectAsync;
        return handler;
    }

    /// <summary>
    /// Lets the handler ping on its HTTP/2 connections, gRPC's among them: a ping after <see cref="KeepAlivePolicy.Idle"/> of silence, and
    /// count × interval for its answer, so that a dead peer is found within <see cref="KeepAlivePolicy.DetectionTime"/>. It reaches through
    /// proxies that answer TCP keepalive themselves.
    /// </summary>
    /// <remarks>
    /// Mind the server: gRPC's C core, Java and Go end a connection with "too_many_pings" that pings more often than each 5 minutes unless
    /// they are told to permit it (gRPC proposal A8). Pings go out only while requests are under way, which those servers punish less;
    /// set <see cref="SocketsHttpHandler.KeepAlivePingPolicy"/> afterwards for more.
    /// </remarks>
    /// <param name="handler">A handler that was not used yet.</param>
    /// <param name="policy">When to ping; less than a second is taken for one, which is the least the handler takes.</param>
    /// <returns>The handler.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The handler was used.</exception>
    public static SocketsHttpHandler UseHttp2KeepAlive(this SocketsHttpHandler handler, KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(policy);
        handler.KeepAlivePingDelay = Max(policy.Idle, PingMin);
        handler.KeepAlivePingTimeout = Max(AnswerTime(policy), PingMin);
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        return handler;
    }

    /// <summary>
    /// Lets a WebSocket ping after <see cref="KeepAlivePolicy.Idle"/> of silence, with count × interval for the pong: a dead peer is found
    /// within <see cref="KeepAlivePolicy.DetectionTime"/>. Without a timeout .NET sends pongs that nobody answers, and never finds one.
    /// </summary>
    /// <param name="options">Of a WebSocket that was not connected yet.</param>
    /// <param name="policy">When to ping.</param>
    /// <returns>The options.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The WebSocket was connected.</exception>
    public static ClientWebSocketOptions UseKeepAlive(this ClientWebSocketOptions options, KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(policy);
        (options.KeepAliveInterval, options.KeepAliveTimeout) = (policy.Idle, AnswerTime(policy));
        return options;
    }

    /// <inheritdoc cref="UseKeepAlive(ClientWebSocketOptions, KeepAlivePolicy)"/>
    /// <param name="options">Of either end, for <see cref="WebSocket.CreateFromStream(Stream, WebSocketCreationOptions)"/>.</param>
    /// <param name="policy">When to ping.</param>
    public static WebSocketCreationOptions UseKeepAlive(this WebSocketCreationOptions options, KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(policy);
        (options.KeepAliveInterval, options.KeepAliveTimeout) = (policy.Idle, AnswerTime(policy));
        return options;
    }

    // One ping is sent, where TCP sends count of them: it gets the time of all.
    internal static TimeSpan AnswerTime(KeepAlivePolicy policy) => policy.DetectionTime - policy.Idle;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
