using System.Net;
using System.Net.Sockets;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Opens listening sockets.</summary>
internal static class ListenSocket
{
    /// <exception cref="ListenException">The address cannot be listened on, or no descriptor is left.</exception>
    public static Socket Open(IPEndPoint address, int backlog)
    {
        Socket? listener = null;
        try
        {
            listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(address);
            LoopbackPacing.Lift(listener, address.Address);
            listener.Listen(backlog);
            return listener;
        }
        catch (SocketException e)
        {
            listener?.Dispose();
            throw new ListenException(address, e);
        }
    }

    /// <summary>Gives a listener the keepalive of a fresh one: what the next gateway leaves alone (<c>on</c> has no numbers) is not the last one's.</summary>
    public static void Refresh(Socket listener)
    {
        using var fresh = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        KernelKeepAliveValues own = KernelKeepAlive.Read(fresh);
        if ((own.Idle, own.Count, own.Interval) is ({ } idle, { } count, { } interval)) _ = KernelKeepAlive.Apply(listener, KeepAliveSpec.Of(new KeepAlivePolicy(idle, count, interval)), UserTimeout.Off);
        _ = KernelKeepAlive.Apply(listener, KeepAliveSpec.Off, UserTimeout.Off);
    }
}
