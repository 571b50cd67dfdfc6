using System.Net.WebSockets;

namespace KeepAlive.Tests.Programs;

/// <summary>One policy, in the words of .NET's own clients.</summary>
public sealed class HttpKeepAliveTests
{
    private static readonly KeepAlivePolicy Policy = KeepAlivePolicy.Parse("60:3:20");

    [Fact]
    public void Http2_pings_within_the_detection_time_and_only_with_requests_under_way()
    {
        using SocketsHttpHandler handler = new SocketsHttpHandler().UseHttp2KeepAlive(Policy);
        Assert.Equal(Policy.Idle, handler.KeepAlivePingDelay);
        Assert.Equal(Policy.DetectionTime, handler.KeepAlivePingDelay + handler.KeepAlivePingTimeout);
        Assert.Equal(HttpKeepAlivePingPolicy.WithActiveRequests, handler.KeepAlivePingPolicy);
    }

    [Fact]
    public void Http2_takes_no_less_than_a_second()
    {
        using SocketsHttpHandler handler = new SocketsHttpHandler().UseHttp2KeepAlive(KeepAlivePolicy.Parse("100ms:1:100ms"));
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)), (handler.KeepAlivePingDelay, handler.KeepAlivePingTimeout));
    }

    [Fact]
    public void A_WebSocket_asks_and_wants_an_answer()
    {
        using var webSocket = new ClientWebSocket();
        webSocket.Options.UseKeepAlive(Policy);
        Assert.Equal((Policy.Idle, TimeSpan.FromSeconds(60)), (webSocket.Options.KeepAliveInterval, webSocket.Options.KeepAliveTimeout));
        WebSocketCreationOptions created = new WebSocketCreationOptions().UseKeepAlive(Policy);
        Assert.Equal((Policy.Idle, TimeSpan.FromSeconds(60)), (created.KeepAliveInterval, created.KeepAliveTimeout));
    }

    [Fact]
    public void Tcp_keepalive_is_a_connect_callback()
    {
        using SocketsHttpHandler handler = new SocketsHttpHandler().UseTcpKeepAlive("60:3:20");
        Assert.NotNull(handler.ConnectCallback);
        Assert.Throws<FormatException>(() => handler.UseTcpKeepAlive("60:20s:3"));
    }

    [Fact]
    public void A_policy_has_numbers()
    {
        Assert.Equal(new KeepAlivePolicy(TimeSpan.FromSeconds(60), 3, TimeSpan.FromSeconds(20)), Policy);
        Assert.Contains("'on' has no numbers", Assert.Throws<FormatException>(() => KeepAlivePolicy.Parse("on")).Message, StringComparison.Ordinal);
    }
}
