using System.Net;
using System.Net.Sockets;
using KeepAlive.Gateway.Epoll;

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
}
