using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepAlive.Linux.Native;

namespace KeepAlive.Linux.Diag;

/// <summary>Every TCP socket of the calling thread's network namespace, through NETLINK_SOCK_DIAG. No rights needed.</summary>
internal static unsafe class InetDiag
{
    private const int NetlinkSockDiag = 4;
    private const int RequestBytes = 72;
    private const int BufferBytes = 256 * 1024;
    private const int InfoExtension = 1 << 1; // INET_DIAG_INFO - 1
    private const ushort RequestDump = 0x301;  // NLM_F_REQUEST | NLM_F_DUMP

    // inet_diag tells a connection that is being accepted as SYN-RECV and asks for it as NEW-SYN-RECV (inet_diag.c, net/tcp_states.h).
    private const int NewSynReceived = 12;

    /// <summary>The sockets in these states.</summary>
    /// <exception cref="SyscallException">A netlink call failed.</exception>
    public static List<SocketRow> Dump(TcpStates states)
    {
        uint mask = states.Bits | (states.Contains(TcpState.SynReceived) ? 1u << NewSynReceived : 0);
        using var socket = new OwnedFd(Errno.Check(Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, NetlinkSockDiag), "socket(NETLINK_SOCK_DIAG)"));
        var rows = new List<SocketRow>();
        byte[] buffer = new byte[BufferBytes];
        DumpFamily(socket, Libc.AF_INET, mask, buffer, rows);
        DumpFamily(socket, Libc.AF_INET6, mask, buffer, rows);
        return rows;
    }

    private static void DumpFamily(OwnedFd socket, int family, uint states, byte[] buffer, List<SocketRow> rows)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, RequestBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], DiagParser.SockDiagByFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], RequestDump);
        request[16] = (byte)family;
        request[17] = Libc.IPPROTO_TCP;
        request[18] = InfoExtension;
        BinaryPrimitives.WriteUInt32LittleEndian(request[20..], states);
        fixed (byte* r = request) Errno.Check(Libc.send(socket.Fd, r, RequestBytes, 0), "send(NETLINK_SOCK_DIAG)");

        while (true)
        {
            nint read;
            fixed (byte* b = buffer) read = Libc.recv(socket.Fd, b, buffer.Length, 0);
            if (read < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR) continue;
            Errno.Check(read, "recv(NETLINK_SOCK_DIAG)");
            DiagEnd end = DiagParser.Read(buffer.AsSpan(0, (int)read), rows, out int errno);
            if (end == DiagEnd.Error) throw new SyscallException("NETLINK_SOCK_DIAG dump", errno);
            if (end == DiagEnd.Done || read == 0) return;
        }
    }
}
