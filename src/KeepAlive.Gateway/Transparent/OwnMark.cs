using System.Net;
using System.Net.Sockets;
using KeepAlive.Gateway.Epoll;

namespace KeepAlive.Gateway.Transparent;

/// <summary>
/// The mark (socket(7), SO_MARK) on all that a transparent gateway dials, which its rules, and those of any other beside it,
/// let pass: otherwise it would be redirected to itself.
/// </summary>
internal static class OwnMark
{
    /// <summary>'k'. Below the bits that others use for theirs: Kubernetes 0x4000 and 0x8000, Cilium 0xf00, Tailscale 0xff0000.</summary>
    public const int Value = 0x6b;

    private const int SOL_SOCKET = 1;
    private const int SO_MARK = 36; // asm-generic/socket.h

    /// <summary>0, or errno: EPERM without CAP_NET_ADMIN.</summary>
    public static int Set(int fd) => Libc.Set(fd, SOL_SOCKET, SO_MARK, Value);

    /// <summary>Whether we may set it at all: 0, or errno.</summary>
    public static int Try()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        return Set((int)socket.SafeHandle.DangerousGetHandle());
    }

    /// <summary>For a dialler.</summary>
    public static async Task<Socket> ConnectAsync(IPEndPoint to, CancellationToken cancellation)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (Set((int)socket.SafeHandle.DangerousGetHandle()) is not 0 and var errno) throw new SocketException((int)Libc.ToSocketError(errno));
            await socket.ConnectAsync(to, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
