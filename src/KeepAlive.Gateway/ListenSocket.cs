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
        if (MachinePolicy() is { } own) _ = KernelKeepAlive.Apply(listener, KeepAliveSpec.Of(own), UserTimeout.Off);
        _ = KernelKeepAlive.Apply(listener, KeepAliveSpec.Off, UserTimeout.Off);
    }

    /// <summary>The numbers of a fresh socket; null where they are not told, no descriptor is left to ask, or they are none of a policy.</summary>
    public static KeepAlivePolicy? MachinePolicy()
    {
        try
        {
            using var fresh = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            KernelKeepAliveValues own = KernelKeepAlive.Read(fresh);
            return (own.Idle, own.Count, own.Interval) is ({ } idle, { } count, { } interval) && !KeepAlivePolicy.Faults(idle, count, interval).Any()
                ? new KeepAlivePolicy(idle, count, interval) : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
