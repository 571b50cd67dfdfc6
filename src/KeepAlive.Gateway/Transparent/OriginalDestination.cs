using System.Net;
using System.Net.Sockets;
using KeepAlive.Gateway.Epoll;

namespace KeepAlive.Gateway.Transparent;

/// <summary>Where a client dialled before a rule redirected its connection to us: connection tracking knows.</summary>
internal static unsafe class OriginalDestination
{
    // SO_ORIGINAL_DST of linux/netfilter_ipv4.h, IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv6/ip6_tables.h: one number, two levels.
    private const int SO_ORIGINAL_DST = 80;
    private const int SOL_IP = 0;
    private const int SOL_IPV6 = 41;

    /// <summary>Null when it is not tracked, so was not redirected either (ENOENT).</summary>
    /// <param name="fd">An accepted connection.</param>
    /// <param name="family">Its listener's.</param>
    public static IPEndPoint? Of(int fd, AddressFamily family)
    {
        byte* address = stackalloc byte[SockAddr.BytesMax];
        int length = SockAddr.BytesMax;
        int level = family == AddressFamily.InterNetworkV6 ? SOL_IPV6 : SOL_IP;
        return Libc.getsockopt(fd, level, SO_ORIGINAL_DST, address, &length) == 0 ? SockAddr.Read(address) : null;
    }
}
