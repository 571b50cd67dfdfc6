using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Splice;

/// <summary>
/// Two sockets and the bytes between them, both ways, on a <see cref="SpliceLoop"/>'s thread. The sockets stay their owner's:
/// whoever closes one, or resets it, detaches the pair first.
/// </summary>
internal sealed class SplicedPair : Watched
{
    private readonly Lock _lock = new();
    private readonly SpliceLoop _loop;
    private readonly Flow _flow;
    private readonly int[] _fds;
    private readonly TaskCompletionSource[] _done = [New(), New()];
    private SplicedDirection _fromDownstream;
    private SplicedDirection _fromUpstream;
    private bool _detached;

    // A bit a direction: it waits for its turn, and what events tell meanwhile it will find by itself.
    private int _queued;

    private SplicedPair(SpliceLoop loop, Flow flow, int downstream, int upstream) => (_loop, _flow, _fds) = (loop, flow, [downstream, upstream]);

    /// <summary>Takes them on, if this engine can be here; null otherwise. Both must be open.</summary>
    public static SplicedPair? Start(Socket downstream, Socket upstream, Flow flow)
    {
        if (SpliceLoop.Next() is not { } loop) return null;
        var pair = new SplicedPair(loop, flow, (int)downstream.SafeHandle.DangerousGetHandle(), (int)upstream.SafeHandle.DangerousGetHandle());
        foreach (int fd in pair._fds) _ = Libc.fcntl(fd, Libc.F_SETFL, Libc.O_NONBLOCK);
        lock (pair._lock) return loop.Add(pair, pair._fds) ? pair : null;
    }

    /// <summary>Done when this leg's peer has ended and all it said was sent on; the caller passes the FIN on.</summary>
    /// <exception cref="RelayException">A leg died; told to the direction that met it.</exception>
    /// <exception cref="OperationCanceledException">The pair was detached, or a leg died under the other direction.</exception>
    public Task RunAsync(Leg source) => _done[(int)source].Task;

    /// <summary>Touches the sockets no more, from now on.</summary>
    public void Detach()
    {
        lock (_lock)
        {
            LetGo();
            foreach (TaskCompletionSource done in _done) done.TrySetCanceled();
        }
    }

    public override void OnEvents(int side, uint events, Instant now)
    {
        lock (_lock)
        {
            if (_detached) return;
            // A leg that fails while the other has no room is not read: it would be missed. One that has ended is its owner's to ask.
            if ((events & Libc.EPOLLERR) != 0 && !_done[side].Task.IsCompleted && Libc.ErrorOf(_fds[side]) is var errno and not 0)
            {
                Fail((Leg)side, RelayCall.Receive, errno);
                return;
            }

            // What waits for room here comes from the other side.
            if ((events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0 && Of(1 - side).IsBlocked) Go((Leg)(1 - side), now);
            if (_detached || (events & ~Libc.EPOLLOUT) == 0) return;
            if ((events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR | Libc.EPOLLPRI)) != 0) Of(side).ReadsToTheEnd = true;
            Go((Leg)side, now);
        }
    }

    public override void OnTurn(int side, Instant now)
    {
        lock (_lock)
        {
            _queued &= ~(1 << side);
            if (!_detached) Go((Leg)side, now);
        }
    }

    public override void OnFault(Exception fault)
    {
        lock (_lock)
        {
            LetGo();
            foreach (TaskCompletionSource done in _done) done.TrySetException(fault);
        }
    }

    private void Go(Leg source, Instant now)
    {
        TaskCompletionSource done = _done[(int)source];
        if (done.Task.IsCompleted || (_queued & (1 << (int)source)) != 0) return;
        Turn turn = Of((int)source).Go(_fds[(int)source], _fds[1 - (int)source], _loop, out int moved, out int errno);
        if (moved > 0) _flow.OnReceived(source, moved, now);
        switch (turn)
        {
            case Turn.HasMore:
                _queued |= 1 << (int)source;
                _loop.Again(this, (int)source);
                break;
            case Turn.Ended:
                Of((int)source).Drop(_loop);
                // First: once it is done its owner may close the sockets, and their numbers be another flow's.
                if (_done[1 - (int)source].Task.IsCompleted) LetGo();
                done.SetResult();
                break;
            case Turn.ReceiveFailed or Turn.SendFailed:
                Fail(source, turn == Turn.ReceiveFailed ? RelayCall.Receive : RelayCall.Send, errno);
                break;
        }
    }

    private void Fail(Leg source, RelayCall call, int errno)
    {
        LetGo();
        _done[(int)source].SetException(new RelayException(call, new SocketException((int)ErrorOf(errno))));
        _done[1 - (int)source].TrySetCanceled();
    }

    private void LetGo()
    {
        if (_detached) return;
        _detached = true;
        _loop.Remove(this, _fds);
        _fromDownstream.Drop(_loop);
        _fromUpstream.Drop(_loop);
    }

    private ref SplicedDirection Of(int source) => ref source == (int)Leg.Downstream ? ref _fromDownstream : ref _fromUpstream;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // asm-generic/errno.h
    public static SocketError ErrorOf(int errno) => errno switch
    {
        32 => SocketError.Shutdown,            // EPIPE
        101 => SocketError.NetworkUnreachable, // ENETUNREACH
        103 => SocketError.ConnectionAborted,  // ECONNABORTED
        104 => SocketError.ConnectionReset,    // ECONNRESET
        105 => SocketError.NoBufferSpaceAvailable, // ENOBUFS
        107 => SocketError.NotConnected,       // ENOTCONN
        110 => SocketError.TimedOut,           // ETIMEDOUT
        111 => SocketError.ConnectionRefused,  // ECONNREFUSED
        113 => SocketError.HostUnreachable,    // EHOSTUNREACH
        _ => SocketError.SocketError,
    };
}
