using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace KeepAlive.App.Fleet;

/// <summary>
/// Which path, for a fleet: from a network to a destination's neighbourhood, <c>10.1.2.0-24/203.0.113.0-24</c>. Machines of one network
/// go the same way, and what stands between them and one address stands before its neighbours, too (/24, /48, as the store has it).
/// </summary>
internal static class PathKey
{
    /// <summary>The path between two addresses; null where they are not of one family.</summary>
    public static string? Of(IPAddress local, IPAddress remote) => local.AddressFamily == remote.AddressFamily ? $"{Network(local)}/{Network(remote)}" : null;

    /// <summary>The path from here to an address; null where there is none.</summary>
    public static string? FromHere(IPEndPoint remote)
    {
        try
        {
            // Connecting a datagram socket sends nothing: it asks the routes.
            using var socket = new Socket(remote.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(remote);
            return Of(((IPEndPoint)socket.LocalEndPoint!).Address, remote.Address);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Whether a path begins in a network of this machine.</summary>
    public static bool IsFromHere(string key)
    {
        string network = key.Split('/')[0];
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Any(a => Network(a.Address) == network);
        }
        catch (NetworkInformationException)
        {
            return false; // one went away meanwhile; whoever measures it next tells again
        }
    }

    private static string Network(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        int kept = bytes.Length == 4 ? 3 : 6;
        bytes.AsSpan(kept).Clear();
        return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(bytes)}-{kept * 8}");
    }
}
