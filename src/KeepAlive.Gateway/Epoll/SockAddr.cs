using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace KeepAlive.Gateway.Epoll;

/// <summary>struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)).</summary>
internal static unsafe class SockAddr
{
    //  0        2        4            8                       24        28
    // +--------+--------+------------+-----------------------+---------+
    // | family | port   | v4 address |                                 |   sockaddr_in: 16 bytes
    // | family | port   | flow info  | v6 address            | scope   |   sockaddr_in6
    // +--------+--------+------------+-----------------------+---------+
    public const int BytesMax = 28;

    public static IPEndPoint Read(byte* address)
    {
        int port = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2));
        return *(ushort*)address == Libc.AF_INET
            ? new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)), port)
            : new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 8, 16), *(uint*)(address + 24)), port);
    }

    /// <summary>The end of a connection: getpeername(2) or getsockname(2); null when there is none.</summary>
    public static IPEndPoint? Of(int fd, bool isPeer)
    {
        byte* address = stackalloc byte[BytesMax];
        int length = BytesMax;
        return (isPeer ? Libc.getpeername(fd, address, &length) : Libc.getsockname(fd, address, &length)) == 0 ? Read(address) : null;
    }

    /// <summary>Begins to connect; 0, EINPROGRESS, or why not.</summary>
    public static int Connect(int fd, IPEndPoint to)
    {
        ReadOnlySpan<byte> bytes = to.Serialize().Buffer.Span;
        fixed (byte* address = bytes)
            return Libc.connect(fd, address, to.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 16 : BytesMax) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
