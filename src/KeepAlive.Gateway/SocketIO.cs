using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Reading and writing that say which of the two failed.</summary>
internal static class SocketIO
{
    /// <summary>Completes when there is something to read, a FIN included. No buffer is held meanwhile.</summary>
    public static ValueTask<int> ReadableAsync(Socket socket) => ReceiveAsync(socket, Memory<byte>.Empty);

    public static async ValueTask<int> ReceiveAsync(Socket socket, Memory<byte> buffer)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, SocketFlags.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new RelayException(RelayCall.Receive, e);
        }
    }

    public static async ValueTask SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes, SocketFlags flags)
    {
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, flags).ConfigureAwait(false)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new RelayException(RelayCall.Send, e);
        }
    }

    /// <summary>What a socket died of after its FIN, when nobody reads from it any more; null while it lives.</summary>
    public static string? DeathAfterEnd(Socket socket)
    {
        try
        {
            // The kernel says EPIPE where a FIN came before the reset (tcp_reset).
            var error = (SocketError)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            return error == SocketError.Success ? null
                : "died after its FIN: " + (error is SocketError.Shutdown or SocketError.ConnectionReset ? "the peer sent a reset" : RelayException.Describe(error));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null; // it has just ended by itself
        }
    }

    /// <summary>Passes a FIN on. A leg that is gone already needs none.</summary>
    public static void ShutdownSend(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other direction's pump meets the same end and reports it.
        }
    }
}

/// <summary>The call on a leg that failed.</summary>
internal enum RelayCall
{
    /// <summary>recv: the source's leg is the one that died.</summary>
    Receive,

    /// <summary>send: the sink's leg is.</summary>
    Send,
}

/// <summary>A leg died under a call.</summary>
internal sealed class RelayException(RelayCall call, Exception cause) : Exception(cause.Message, cause)
{
    public RelayCall Call { get; } = call;

    public SocketError Error => InnerException is SocketException socket ? socket.SocketErrorCode : SocketError.OperationAborted;

    /// <summary><c>recv: ETIMEDOUT</c>: the call and the errno as the field knows it.</summary>
    public string Describe() => $"{(Call == RelayCall.Receive ? "recv" : "send")}: {Describe(Error)}";

    /// <summary>An errno as the field knows it, and what it means here.</summary>
    public static string Describe(SocketError error) => error switch
    {
        SocketError.TimedOut => "ETIMEDOUT, keepalive probes or data stayed unanswered",
        SocketError.ConnectionReset => "ECONNRESET, the peer sent a reset",
        SocketError.ConnectionAborted => "ECONNABORTED, closed from outside",
        SocketError.HostUnreachable => "EHOSTUNREACH, no way to the peer",
        SocketError.NetworkUnreachable => "ENETUNREACH, no way to the peer's network",
        SocketError.Shutdown => "EPIPE, the peer has closed already",
        _ => $"{error}, {new SocketException((int)error).Message}",
    };
}
