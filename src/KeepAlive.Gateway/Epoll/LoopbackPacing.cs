using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Gateway.Epoll;

/// <summary>
/// Takes the pacing off legs over loopback. BBR sends no faster than it believes the path to be and waits in between; over
/// loopback there is no path, and the waiting costs half of the throughput and twice the processor time (bench/README.md).
/// Reno does not pace, is in every kernel, and everybody may choose it (net/ipv4/tcp_cong.c, TCP_CONG_NON_RESTRICTED).
/// </summary>
internal static unsafe class LoopbackPacing
{
    private const int NameBytesMax = 16; // TCP_CA_NAME_MAX

    /// <summary>For what will be accepted: Linux's accepted sockets inherit what was set on their listener (tcp_ca_openreq_child).</summary>
    public static void Lift(Socket listener, IPAddress address) => Lift((int)listener.SafeHandle.DangerousGetHandle(), address);

    /// <summary>Does nothing where nothing is paced, or it may not be changed.</summary>
    /// <param name="fd">A TCP socket, connected or not.</param>
    /// <param name="address">Its peer; for a listener, its own.</param>
    public static void Lift(int fd, IPAddress address)
    {
        if (!OperatingSystem.IsLinux() || !IPAddress.IsLoopback(address)) return;
        byte* name = stackalloc byte[NameBytesMax];
        int length = NameBytesMax;
        if (Libc.getsockopt(fd, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, &length) != 0) return;
        if (!new ReadOnlySpan<byte>(name, length).StartsWith("bbr"u8)) return;
        fixed (byte* reno = "reno"u8) _ = Libc.setsockopt(fd, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, reno, "reno"u8.Length);
    }
}
