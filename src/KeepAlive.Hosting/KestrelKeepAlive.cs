using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepAlive.Hosting;

/// <summary>Keepalive of a Kestrel server's clients.</summary>
public static class KestrelKeepAlive
{
    private static readonly TimeSpan PingMin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gives every connection of an endpoint kernel keepalive, on every system: set on each accepted socket, as macOS closes listeners that
    /// have it. What is not exactly as asked is logged once, as a warning.
    /// </summary>
    /// <example><code>
    /// builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseTcpKeepAlive("60:3:20")));
    /// </code></example>
    /// <param name="listenOptions">The endpoint. Connections that are no sockets (QUIC, named pipes) pass untouched.</param>
    /// <param name="spec"><c>idle:count:interval</c> as in <c>60:3:20</c>: <see cref="KeepAliveSpec"/>.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">The text is no SPEC; the message names every fault and its fix.</exception>
    public static ListenOptions UseTcpKeepAlive(this ListenOptions listenOptions, string spec) => listenOptions.UseTcpKeepAlive(KeepAliveSpec.Parse(spec));

    /// <inheritdoc cref="UseTcpKeepAlive(ListenOptions, string)"/>
    /// <param name="listenOptions">The endpoint. Connections that are no sockets (QUIC, named pipes) pass untouched.</param>
    /// <param name="spec">What is asked for; of a policy, <see cref="KeepAliveSpec.Of"/>.</param>
    /// <param name="userTimeout">How long sent data may stay unacknowledged; by default as long as the policy takes to find a dead peer.</param>
    public static ListenOptions UseTcpKeepAlive(this ListenOptions listenOptions, KeepAliveSpec spec, UserTimeout userTimeout = default)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        ILogger log = listenOptions.ApplicationServices?.GetService<ILoggerFactory>()?.CreateLogger(typeof(KestrelKeepAlive)) ?? NullLogger.Instance;
        var shortfalls = new ShortfallLog(log, listenOptions.ToString() ?? "");
        listenOptions.Use(next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { ProtocolType: ProtocolType.Tcp } socket)
                shortfalls.Tell(socket.SetKeepAlive(spec, userTimeout));
            return next(connection);
        });
        return listenOptions;
    }

    /// <summary>
    /// Lets the server ping its HTTP/2 clients after <see cref="KeepAlivePolicy.Idle"/> of silence, with count × interval for the answer, so that a
    /// dead client is found within <see cref="KeepAlivePolicy.DetectionTime"/>. Clients do not count pings, as gRPC's servers do.
    /// </summary>
    /// <param name="limits">Of Kestrel.</param>
    /// <param name="policy">When to ping; less than a second is taken for one, which is the least that Kestrel takes.</param>
    /// <returns>The limits.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static Http2Limits UseKeepAlive(this Http2Limits limits, KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(policy);
        limits.KeepAlivePingDelay = Max(policy.Idle, PingMin);
        limits.KeepAlivePingTimeout = Max(policy.DetectionTime - policy.Idle, PingMin);
        return limits;
    }

    /// <summary>
    /// Lets the server ping its WebSockets after <see cref="KeepAlivePolicy.Idle"/> of silence, with count × interval for the pong. Without a timeout
    /// ASP.NET Core sends pongs that nobody answers, and never finds a dead client.
    /// </summary>
    /// <param name="options">For <see cref="WebSocketMiddlewareExtensions.UseWebSockets(IApplicationBuilder, WebSocketOptions)"/>.</param>
    /// <param name="policy">When to ping.</param>
    /// <returns>The options.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static WebSocketOptions UseKeepAlive(this WebSocketOptions options, KeepAlivePolicy policy)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(policy);
        (options.KeepAliveInterval, options.KeepAliveTimeout) = (policy.Idle, policy.DetectionTime - policy.Idle);
        return options;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
