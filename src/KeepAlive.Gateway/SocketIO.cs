using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Reading and writing that say which of the two failed.</summary>
internal static class SocketIO
{
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
}
