using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Listening ports for data connections, hard to guess (RFC 2577 section 8).</summary>
internal static class DataPort
{
    /// <summary>Listens on a free port: of the range, starting at random; else one the system chooses.</summary>
    /// <returns>Null when none is free, or too few descriptors are.</returns>
    public static Socket? Listen(IPAddress address, PortRange? range)
    {
        if (range is not { } ports) return TryListen(address, 0);
        int start = Random.Shared.Next(ports.Count);
        for (int i = 0; i < ports.Count; i++)
        {
            if (TryListen(address, ports.First + ((start + i) % ports.Count)) is { } listener) return listener;
        }

        return null;
    }

    private static Socket? TryListen(IPAddress address, int port)
    {
        try
        {
            Socket listener = ListenSocket.Open(new IPEndPoint(address, port), backlog: 1);
            if (!DescriptorReserve.IsTouchedBy(listener, DescriptorReserve.Data)) return listener;
            listener.Dispose();
            return null;
        }
        catch (ListenException)
        {
            return null; // taken
        }
    }
}
