using System.Buffers;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>The portable engine of a plain relay: one direction, one socket's bytes to the other.</summary>
internal static class PlainPump
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Relays until the source's FIN, which the caller passes on.</summary>
    /// <exception cref="RelayException">A leg died.</exception>
    public static async Task RunAsync(Socket from, Socket to, Flow flow, Leg source)
    {
        while (true)
        {
            await SocketIO.ReadableAsync(from).ConfigureAwait(false);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                int read = await SocketIO.ReceiveAsync(from, buffer).ConfigureAwait(false);
                if (read == 0) return;
                flow.OnReceived(source, read, MonotonicClock.Now);
                await SocketIO.SendAllAsync(to, buffer.AsMemory(0, read), SocketFlags.None).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
