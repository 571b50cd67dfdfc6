using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Epoll;

/// <summary>
/// Accepts clients on every loop's thread, so that a flow is relayed where it was accepted; whoever is told owns the
/// descriptor, which is non-blocking.
/// </summary>
/// <param name="listener">Its owner closes it, after <see cref="Stop"/>.</param>
/// <param name="accepted">Told of a client.</param>
/// <param name="failed">Told why accepting fails; it goes on a second later.</param>
internal sealed class EpollListener(Socket listener, Action<int, IPEndPoint> accepted, Action<SocketError> failed)
{
    // Flows that are there have a turn in between.
    private const int AcceptsMax = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly int _fd = (int)listener.SafeHandle.DangerousGetHandle();
    private readonly Action<SocketError> _failed = failed;
    private readonly Watch[] _watches = new Watch[EpollLoop.All.Count];
    private bool _isWatched;
    private bool _isStopped;

    /// <exception cref="SocketException">The kernel has no room to watch it.</exception>
    public void Start()
    {
        _ = Libc.fcntl(_fd, Libc.F_SETFL, Libc.O_NONBLOCK);
        for (int i = 0; i < _watches.Length; i++) _watches[i] = new Watch(this, EpollLoop.All[i]);
        lock (_lock)
        {
            if (!TryWatch()) throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
        }
    }

    /// <summary>Accepts no more: after this the listener can be closed.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            Unwatch();
        }
    }

    private bool TryWatch()
    {
        _isWatched = true;
        foreach (Watch watch in _watches)
        {
            watch.IsOn = watch.Loop.AddShared(watch, _fd);
            if (watch.IsOn) continue;
            Unwatch();
            return false;
        }

        return true;
    }

    private void Unwatch()
    {
        _isWatched = false;
        foreach (Watch watch in _watches)
        {
            // Its thread accepts no more once this is done, and who was accepted is known: the descriptor may be closed.
            lock (watch)
            {
                if (watch.IsOn) watch.Loop.Remove(watch, _fd);
                watch.IsOn = false;
            }
        }
    }

    private unsafe void Accept(Watch watch)
    {
        byte* address = stackalloc byte[SockAddr.BytesMax];
        for (int i = 0; i < AcceptsMax; i++)
        {
            int length = SockAddr.BytesMax, errno = 0;
            lock (watch)
            {
                if (!watch.IsOn) return;
                int fd = Libc.accept4(_fd, address, &length, Libc.O_NONBLOCK | Libc.O_CLOEXEC);
                if (fd < 0) errno = Marshal.GetLastPInvokeError();
                else accepted(fd, SockAddr.Read(address));
            }

            if (errno == Libc.EAGAIN) return;
            // Gone before it was accepted (accept(2), "Error handling"): the next may be fine.
            if (errno is not (0 or Libc.EINTR or Libc.ECONNABORTED or Libc.EPROTO)) GoOnLaterAsync(Libc.ToSocketError(errno));
        }
    }

    // Out of descriptors or memory: what waits in the backlog is asked for again after a while.
    private async void GoOnLaterAsync(SocketError why)
    {
        lock (_lock)
        {
            if (!_isWatched) return; // another loop has met it already
            Unwatch();
        }

        _failed(why);
        await Task.Delay(Pause).ConfigureAwait(false);
        lock (_lock)
        {
            if (!_isStopped && !_isWatched && !TryWatch()) GoOnLaterAsync(SocketError.NoBufferSpaceAvailable);
        }
    }

    private sealed class Watch(EpollListener owner, EpollLoop loop) : IWatched
    {
        public EpollLoop Loop { get; } = loop;

        public WatchedPlace Place { get; set; }

        public bool IsOn { get; set; }

        public void OnEvents(int side, uint events, Instant now) => owner.Accept(this);

        public void OnTurn(int side, TurnPart part, Instant now)
        {
            // It asks for none.
        }

        public void OnFault(Exception fault) => owner._failed(SocketError.SocketError);
    }
}
