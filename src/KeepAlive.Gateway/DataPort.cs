using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Listening ports for data connections, hard to guess (RFC 2577 section 8).</summary>
internal static class DataPort
{
    /// <summary>Listens on a free port: of the range, starting at random; else one the system chooses.</summary>
    /// <returns>Null when none is free.</returns>
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
            return ListenSocket.Open(new IPEndPoint(address, port), backlog: 1);
        }
        catch (ListenException)
        {
            return null; // taken; or out of descriptors, which the accept loop reports
        }
    }
}
