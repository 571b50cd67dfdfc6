using System.Buffers;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>One leg of an inspected flow: its socket, and what waits to be sent on it, in order.</summary>
internal sealed class LegSocket(Leg leg, Socket socket)
{
    private readonly Lock _lock = new();
    private ArrayBufferWriter<byte>? _waiting;
    private int _urgentUpTo;
    private bool _sending;
    private Task _flush = Task.CompletedTask;

    public Leg Leg { get; } = leg;

    public Socket Socket { get; } = socket;

    public IPAddress Peer { get; } = Plain(((IPEndPoint)socket.RemoteEndPoint!).Address);

    /// <summary>Our own address on it.</summary>
    public IPAddress Local { get; } = ((IPEndPoint)socket.LocalEndPoint!).Address;

    /// <summary>Its peer has sent its FIN: nobody reads from it any more.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Queues bytes behind those already waiting. Whoever queues calls <see cref="FlushAsync"/>.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="urgentUpTo">How many of them end in a byte of TCP urgent data; 0 for none.</param>
    public void Queue(ReadOnlySpan<byte> bytes, int urgentUpTo)
    {
        if (bytes.IsEmpty) return;
        lock (_lock)
        {
            _waiting ??= new ArrayBufferWriter<byte>(bytes.Length);
            if (urgentUpTo > 0) _urgentUpTo = _waiting.WrittenCount + urgentUpTo;
            _waiting.Write(bytes);
        }
    }

    /// <summary>Sends all that waits; done when it has, whoever is sending.</summary>
    /// <exception cref="RelayException">The leg is dead.</exception>
    public Task FlushAsync()
    {
        lock (_lock)
        {
            if (_waiting is null || _sending) return _flush;
            _sending = true;
            return _flush = SendWaitingAsync();
        }
    }

    private async Task SendWaitingAsync()
    {
        while (TakeWaiting(out ReadOnlyMemory<byte> bytes, out int urgentUpTo))
        {
            if (urgentUpTo > 0) await SocketIO.SendAllAsync(Socket, bytes[..urgentUpTo], SocketFlags.OutOfBand).ConfigureAwait(false);
            await SocketIO.SendAllAsync(Socket, bytes[urgentUpTo..], SocketFlags.None).ConfigureAwait(false);
        }
    }

    private bool TakeWaiting(out ReadOnlyMemory<byte> bytes, out int urgentUpTo)
    {
        lock (_lock)
        {
            bytes = _waiting?.WrittenMemory ?? default;
            urgentUpTo = _urgentUpTo;
            (_waiting, _urgentUpTo) = (null, 0);
            _sending = !bytes.IsEmpty;
            return _sending;
        }
    }

    /// <summary>An IPv4 peer on a dual-stack socket, by its IPv4 address.</summary>
    internal static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
