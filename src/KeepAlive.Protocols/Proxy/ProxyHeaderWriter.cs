using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Protocols.Proxy;

/// <summary>Writes a PROXY header.</summary>
internal static class ProxyHeaderWriter
{
    /// <summary>The header of a TCP connection. Ends of two families are said to be unknown: no header has room for both.</summary>
    /// <param name="version">Which.</param>
    /// <param name="source">The client's address.</param>
    /// <param name="destination">The address that it connected to.</param>
    public static byte[] Write(ProxyVersion version, IPEndPoint source, IPEndPoint destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        (IPAddress from, IPAddress to) = (Plain(source.Address), Plain(destination.Address));
        bool isKnown = from.AddressFamily == to.AddressFamily, isV4 = from.AddressFamily == AddressFamily.InterNetwork;
        if (version == ProxyVersion.V1)
        {
            return Encoding.ASCII.GetBytes(isKnown
                ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"PROXY TCP{(isV4 ? 4 : 6)} {from} {to} {source.Port} {destination.Port}\r\n")
                : "PROXY UNKNOWN\r\n");
        }

        byte[] addresses = isKnown ? [.. from.GetAddressBytes(), .. to.GetAddressBytes(), 0, 0, 0, 0] : [];
        if (isKnown)
        {
            BinaryPrimitives.WriteUInt16BigEndian(addresses.AsSpan(addresses.Length - 4), (ushort)source.Port);
            BinaryPrimitives.WriteUInt16BigEndian(addresses.AsSpan(addresses.Length - 2), (ushort)destination.Port);
        }

        byte family = (byte)(!isKnown ? 0 : isV4 ? 0x11 : 0x21);
        return [.. ProxyHeaderReader.V2Signature, 0x21, family, 0, (byte)addresses.Length, .. addresses];
    }

    // Without a zone, which means nothing elsewhere; an IPv4 address on a dual-stack socket as what it is.
    private static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes()) : address;
}
