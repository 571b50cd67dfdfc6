using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KeepAlive.Sockets;

/// <summary>
/// How many segments of a connection have come in, data or not: Linux's tcpi_segs_in (linux/tcp.h, since Linux 4.2). A keepalive
/// probe raises it, though it is answered before anything else that the kernel counts or times is touched
/// (net/ipv4/tcp_input.c, tcp_validate_incoming): it tells a probe that crossed the path from one that something on the way answered.
/// </summary>
internal static class SegmentsIn
{
    // struct tcp_info: rtt, what PeerContact reads, ends at 72; twelve more words, pacing_rate, max_pacing_rate, bytes_acked,
    // bytes_received of 8 bytes each (104 to 136), segs_out at 136, segs_in at 140.
    private const int TcpInfo = 11;
    private const int At = 140;

    /// <summary>Asks the kernel.</summary>
    /// <param name="socket">A TCP socket.</param>
    /// <returns>Null where it is not told: not Linux, or not connected.</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    public static long? Read(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsAndroid()) return null;
        Span<byte> info = stackalloc byte[At + sizeof(uint)];
        try
        {
            return socket.GetRawSocketOption(KernelOption.Level, TcpInfo, info) == info.Length ? MemoryMarshal.Read<uint>(info[At..]) : null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
