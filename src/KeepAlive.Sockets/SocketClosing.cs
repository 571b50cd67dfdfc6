using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>The two ways a TCP connection ends, so that one leg can be closed the way the other died.</summary>
internal static class SocketClosing
{
    /// <summary>
    /// Closes with RST: the peer's next read fails with ECONNRESET, and data not yet sent is dropped (RFC 9293 section
    /// 3.10.4, ABORT; socket(7), SO_LINGER with a time of 0). Never throws; a closed socket stays closed.
    /// </summary>
    /// <param name="socket">A TCP socket; calls pending on it end with an error.</param>
    public static void Reset(this Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Dead or closed already (macOS: EINVAL once the peer has reset): nothing is left to reset.
        }

        // With a time of 0 the runtime closes abortively itself, also where the option could not be set.
        socket.Close(0);
    }

    /// <summary>
    /// Closes with FIN after all data written; what the peer still sends is answered by RST, so read to the end first if
    /// it matters. Does not wait and never throws; a closed socket stays closed.
    /// </summary>
    /// <param name="socket">A TCP socket; calls pending on it end with an error.</param>
    public static void CloseOrderly(this Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Not connected any more: there is nobody to say FIN to.
        }

        socket.Dispose();
    }
}
