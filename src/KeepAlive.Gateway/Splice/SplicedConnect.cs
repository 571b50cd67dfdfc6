using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Splice;

/// <summary>
/// Connects without the runtime's own event loop: once it knows a socket it is woken by each of its events for good, and a
/// relay would pay twice for every one.
/// </summary>
internal sealed class SplicedConnect : Watched
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SplicedConnect()
    {
    }

    /// <summary>For a dialler; null where this engine cannot be, and the runtime's own connect has to do.</summary>
    public static Func<IPEndPoint, CancellationToken, Task<Socket>>? Connector { get; } = SpliceLoop.Next() is null ? null : ConnectAsync;

    public override void OnEvents(int side, uint events, Instant now)
    {
        if ((events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0) _ready.TrySetResult();
    }

    public override void OnTurn(int side, Instant now)
    {
        // It asks for none.
    }

    public override void OnFault(Exception fault) => _ready.TrySetException(fault);

    private static async Task<Socket> ConnectAsync(IPEndPoint to, CancellationToken cancellation)
    {
        int family = to.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET;
        int fd = Libc.socket(family, Libc.SOCK_STREAM | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        if (fd < 0) throw Failure(Marshal.GetLastPInvokeError());
        try
        {
            int errno = Begin(fd, to.Serialize());
            if (errno == Libc.EINPROGRESS)
            {
                await ReadyAsync(fd, cancellation).ConfigureAwait(false);
                errno = Libc.ErrorOf(fd);
            }

            if (errno != 0) throw Failure(errno);
        }
        catch
        {
            _ = Libc.close(fd);
            throw;
        }

        // Made of a connected descriptor, it knows that it is connected.
        return new Socket(new SafeSocketHandle(fd, ownsHandle: true));
    }

    private static async Task ReadyAsync(int fd, CancellationToken cancellation)
    {
        SpliceLoop loop = SpliceLoop.Next()!;
        var wait = new SplicedConnect();
        if (!loop.Add(wait, [fd])) throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
        try
        {
            await wait._ready.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            loop.Remove(wait, [fd]);
        }
    }

    private static SocketException Failure(int errno) => new((int)SplicedPair.ErrorOf(errno));

    private static unsafe int Begin(int fd, SocketAddress address)
    {
        fixed (byte* bytes = address.Buffer.Span)
            return Libc.connect(fd, bytes, address.Size) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
