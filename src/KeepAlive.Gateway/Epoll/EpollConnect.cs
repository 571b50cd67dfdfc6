using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Epoll;

/// <summary>
/// Connects without the runtime's own event loop: once it knows a socket it is woken by each of its events for good, and a
/// relay would pay twice for every one.
/// </summary>
internal sealed class EpollConnect : IWatched
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private EpollConnect()
    {
    }

    public WatchedPlace Place { get; set; }

    public void OnEvents(int side, uint events, Instant now)
    {
        if ((events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0) _ready.TrySetResult();
    }

    public void OnTurn(int side, TurnPart part, Instant now)
    {
        // It asks for none.
    }

    public void OnFault(Exception fault) => _ready.TrySetException(fault);

    /// <summary>For a dialler.</summary>
    public static async Task<Socket> ConnectAsync(IPEndPoint to, CancellationToken cancellation)
    {
        int fd = Libc.Socket(to.AddressFamily);
        if (fd < 0) throw Failure(Marshal.GetLastPInvokeError());
        try
        {
            LoopbackPacing.Lift(fd, to.Address);
            int errno = SockAddr.Connect(fd, to);
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
        EpollLoop loop = EpollLoop.Next();
        var wait = new EpollConnect();
        if (!loop.Add(wait, [fd])) throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
        try
        {
            await wait._ready.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            loop.Remove(wait, fd);
        }
    }

    private static SocketException Failure(int errno) => new((int)Libc.ToSocketError(errno));
}
