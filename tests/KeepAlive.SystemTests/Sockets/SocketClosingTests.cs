using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Sockets;

public sealed class SocketClosingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reset_is_a_reset_to_the_peer()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        pair.Client.Reset();
        await ExpectReset(pair.Server);
    }

    [Fact]
    public async Task Reset_is_a_reset_even_with_a_read_pending()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        Task<int> pending = pair.Client.ReceiveAsync(new byte[1]);
        pair.Client.Reset();
        await Assert.ThrowsAnyAsync<Exception>(() => pending);
        await ExpectReset(pair.Server);
    }

    [Fact]
    public async Task Reset_after_half_close_and_after_the_peers_reset_does_not_throw()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        pair.Client.Shutdown(SocketShutdown.Send);
        pair.Client.Reset();
        pair.Server.Reset();
        pair.Server.Reset();
        pair.Client.CloseOrderly();
    }

    [Fact]
    public async Task Orderly_is_an_end_of_stream_after_the_data()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        await pair.Client.SendAsync("bye"u8.ToArray(), Cancellation);
        pair.Client.CloseOrderly();
        byte[] buffer = new byte[16];
        Assert.Equal(3, await pair.Server.ReceiveAsync(buffer, Cancellation));
        Assert.Equal(0, await pair.Server.ReceiveAsync(buffer, Cancellation));
    }

    private static async Task ExpectReset(Socket socket)
    {
        SocketException e = await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1], Cancellation).AsTask());
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }
}
