using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>One leg as it is read and written: here the bytes of a socket; what wraps them says so by deriving. One reads at a time,
/// and one writes.</summary>
internal class SocketLeg(Socket socket)
{
    /// <summary>What the kernel knows the leg by: its keepalive, its errors, its resets.</summary>
    public Socket Socket { get; } = socket;

    /// <summary>Whether its bytes are the socket's own, so that any engine can move them.</summary>
    public virtual bool IsBare => true;

    /// <summary>Whether its end came without the word that TLS has for it (RFC 8446 section 6.1): somebody may have cut it off.</summary>
    public virtual bool IsCutOff => false;

    /// <summary>Reads; 0 at the end. With an empty buffer it completes when there is something to read, and holds none meanwhile.</summary>
    /// <exception cref="RelayException">The leg died.</exception>
    public virtual ValueTask<int> ReceiveAsync(Memory<byte> buffer) => SocketIO.ReceiveAsync(Socket, buffer);

    /// <summary>Sends all of it.</summary>
    /// <exception cref="RelayException">The leg died.</exception>
    public virtual ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => SocketIO.SendAllAsync(Socket, bytes, SocketFlags.None);

    /// <summary>Sends bytes of which the last is TCP urgent data, where there is such a thing.</summary>
    /// <exception cref="RelayException">The leg died.</exception>
    public virtual async ValueTask SendUrgentAsync(ReadOnlyMemory<byte> bytes)
    {
        // The urgent byte by itself, so that no part of what precedes it can be taken for it.
        await SocketIO.SendAllAsync(Socket, bytes[..^1], SocketFlags.None).ConfigureAwait(false);
        await SocketIO.SendAllAsync(Socket, bytes[^1..], SocketFlags.OutOfBand).ConfigureAwait(false);
    }

    /// <summary>Sends the FIN, behind all that was sent. Never throws: a leg that is gone needs none, and who reads it meets the same end.</summary>
    public virtual ValueTask EndAsync()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone.
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Closes it; twice is harmless.</summary>
    public virtual void Close() => Socket.Dispose();

    /// <summary>Closes it with RST.</summary>
    public virtual void Reset() => Socket.Reset();
}
