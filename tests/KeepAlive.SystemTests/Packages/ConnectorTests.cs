using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Sockets;

namespace KeepAlive.SystemTests.Packages;

/// <summary>Sockets and clients of .NET, with the keepalive they were asked to have.</summary>
public sealed class ConnectorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_socket_has_what_was_asked_and_says_so()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        KernelKeepAliveReport report = pair.Client.SetKeepAlive("60:3:20");
        Assert.True(report.IsAsAsked, report.ToString());
        Assert.Equal(TimeSpan.FromMinutes(2), pair.Client.GetKeepAlive().DetectionTime);
        Assert.False(pair.Client.SetKeepAlive("off").Effective.IsOn);
        Assert.Contains("idle: asked 500ms, effective 1s", pair.Server.SetKeepAlive("500ms:3:1s").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Localhost_has_it_whichever_family_listens_user_timeout_included()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        KernelKeepAliveReport? told = null;
        var connector = new KeepAliveConnector("60:3:20") { Connected = (_, report) => told = report };
        using Socket socket = await connector.ConnectAsync("localhost", ((IPEndPoint)listener.LocalEndPoint!).Port, Cancellation);
        Assert.Equal(TimeSpan.FromMinutes(2), socket.GetKeepAlive().DetectionTime);
        Assert.True(told?.IsAsAsked, told?.ToString());
        if (OperatingSystem.IsLinux()) Assert.Equal(TimeSpan.FromMinutes(2), socket.GetKeepAlive().UserTimeout);
    }

    [Fact]
    public async Task A_failure_is_a_SocketException_that_names_the_addresses()
    {
        using Socket holder = Loopback.Refusing(IPAddress.Loopback, out int port);
        SocketException e = await Assert.ThrowsAsync<SocketException>(() => new KeepAliveConnector("60:3:20").ConnectAsync("127.0.0.1", port, Cancellation));
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        Assert.Contains($"127.0.0.1:{port}: 127.0.0.1: Connection refused", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HttpClient_tells_a_refusal_from_others()
    {
        using Socket holder = Loopback.Refusing(IPAddress.Loopback, out int port);
        using var http = new HttpClient(new SocketsHttpHandler().UseTcpKeepAlive("60:3:20"));
        HttpRequestException e = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/"), Cancellation));
        Assert.Equal(HttpRequestError.ConnectionError, e.HttpRequestError);
    }

    [Fact]
    public async Task A_connected_that_throws_ends_the_connection()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        Socket? connected = null;
        var connector = new KeepAliveConnector("60:3:20")
        {
            Connected = (socket, _) =>
            {
                connected = socket;
                throw new InvalidOperationException("no");
            },
        };
        await Assert.ThrowsAsync<InvalidOperationException>(() => connector.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port, Cancellation));
        Assert.False(connected!.Connected);
    }
}
