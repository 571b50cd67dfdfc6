using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Epoll;

/// <summary>Linux's engine: two descriptors of its own on an <see cref="EpollLoop"/>'s thread.</summary>
internal sealed unsafe class EpollWire : Wire, IWatched
{
    private const int Upstream = (int)Leg.Upstream;

    private readonly EpollLoop _loop = EpollLoop.Next();
    private readonly int _downstream;
    private readonly int _upstream;
    private Direction _fromDownstream;
    private Direction _fromUpstream;
    private ushort _port;
    private bool _isConnecting;
    private bool _isWatched;
    private bool _isClosed;

    public EpollWire(int downstream, int upstream, IWireOwner owner, Flow flow)
        : base(owner, flow) => (_downstream, _upstream) = (downstream, upstream);

    public WatchedPlace Place { get; set; }

    /// <summary>Takes over two sockets of the runtime; null where this engine cannot be, or no descriptors are left for the moment of change.</summary>
    public static EpollWire? Take(Socket downstream, Socket upstream, IWireOwner owner, Flow flow)
    {
        if (!EpollLoop.IsHere) return null;
        // Copies, as a socket of the runtime closes its descriptor whatever becomes of it.
        int near = Libc.fcntl((int)downstream.SafeHandle.DangerousGetHandle(), Libc.F_DUPFD_CLOEXEC, 0);
        int far = near < 0 ? -1 : Libc.fcntl((int)upstream.SafeHandle.DangerousGetHandle(), Libc.F_DUPFD_CLOEXEC, 0);
        if (far < 0)
        {
            if (near >= 0) _ = Libc.close(near);
            return null;
        }

        downstream.Dispose();
        upstream.Dispose();
        foreach (int fd in (int[])[near, far]) _ = Libc.fcntl(fd, Libc.F_SETFL, Libc.O_NONBLOCK);
        return new EpollWire(near, far, owner, flow);
    }

    /// <summary>Begins to connect the upstream leg; the owner is told how that ends.</summary>
    /// <returns>Why it failed at once; otherwise success.</returns>
    public SocketError Connect(IPEndPoint to)
    {
        LoopbackPacing.Lift(_upstream, to.Address);
        int errno = SockAddr.Connect(_upstream, to);
        if (errno is not (0 or Libc.EINPROGRESS)) return Libc.ToSocketError(errno);
        (_isConnecting, _port) = (true, (ushort)to.Port);
        return Watch() ? SocketError.Success : SocketError.NoBufferSpaceAvailable;
    }

    /// <summary>Takes the client's socket back, to tell it why it cannot be served, and closes the other.</summary>
    public Socket TakeBack()
    {
        Forget();
        _ = Libc.close(_upstream);
        return new Socket(new SafeSocketHandle(_downstream, ownsHandle: true));
    }

    public override void Send(Leg to, ReadOnlySpan<byte> bytes, int urgentUpTo)
    {
        if (bytes.IsEmpty || _isClosed) return;
        int errno = Of(1 - (int)to).Send(Fd((int)to), bytes, urgentUpTo);
        if (errno != 0) Owner.OnFailed(to, RelayCall.Send, Libc.ToSocketError(errno));
    }

    public override void End(Leg to)
    {
        ref Direction direction = ref Of(1 - (int)to);
        direction.IsFinDue = true;
        if (!_isClosed && !direction.IsBlocked) SendFin(1 - (int)to);
    }

    public override void Resume()
    {
        if (_isClosed || !_isWatched) return;
        for (int side = 0; side < 2; side++)
        {
            Of(side).IsMuted = false;
            _loop.Rearm(this, side, Fd(side));
        }
    }

    public override void Close()
    {
        if (!Forget()) return;
        _ = Libc.close(_downstream);
        _ = Libc.close(_upstream);
    }

    public override void Reset()
    {
        if (!Forget()) return;
        Libc.Reset(_downstream);
        Libc.Reset(_upstream);
    }

    public override bool IsUnread(Leg leg) => HasEnded(leg); // EPOLLERR tells of any other

    public override PeerContact? Contact(Leg leg)
    {
        byte* info = stackalloc byte[PeerContact.InfoBytes];
        return TryAsk(leg, info) ? PeerContact.Decode(new ReadOnlySpan<byte>(info, PeerContact.InfoBytes)) : null;
    }

    public override PeerContact? LastContact(Leg leg)
    {
        byte* info = stackalloc byte[PeerContact.InfoBytes];
        return TryAsk(leg, info) ? PeerContact.DecodeLast(new ReadOnlySpan<byte>(info, PeerContact.InfoBytes)) : null;
    }

    // The user timeout on Linux is a number of its own, or seen to by us: no policy changes it.
    public override void Keep(Leg leg, KeepAlivePolicy policy, UserTimeout timeout)
    {
        if (!_isClosed) Libc.Set(Fd((int)leg), KernelKeepAlive.StepsFor(policy));
    }

    public override void Renew(Leg leg, LegKeepAlive keepAlive)
    {
        if (!_isClosed) keepAlive.Renew(Fd((int)leg), leg, Flow.Id);
    }

    public override SocketError ErrorOf(Leg leg) => _isClosed ? SocketError.Success : Libc.ToSocketError(Libc.ErrorOf(Fd((int)leg)));

    public override IPAddress? Peer(Leg leg) => AddressOf(leg, isPeer: true) is { } address ? Plain(address) : null;

    public override IPAddress? Local(Leg leg) => AddressOf(leg, isPeer: false);

    public void OnEvents(int side, uint events, Instant now)
    {
        lock (Owner)
        {
            if (_isClosed) return;
            if ((events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR | Libc.EPOLLPRI)) != 0) Of(side).ReadsToTheEnd = true;
            if (_isConnecting)
            {
                if (side == Upstream && (events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0) EndConnect();
                return;
            }

            // A leg that fails while the other has no room is not read: it would be missed. One that has ended is its owner's to ask.
            if ((events & Libc.EPOLLERR) != 0 && !Of(side).HasEnded && Libc.ErrorOf(Fd(side)) is var errno and not 0)
            {
                Owner.OnFailed((Leg)side, RelayCall.Receive, Libc.ToSocketError(errno));
                return;
            }

            // What waits for room here comes from the other side; and a client is not read while it leaves its own answers unread.
            if ((events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0 && Of(1 - side).IsBlocked)
            {
                Go(1 - side, now);
                if (side == (int)Leg.Downstream && !IsPlain && !Of(Upstream).IsBlocked) Go(side, now);
            }

            if ((events & ~Libc.EPOLLOUT) != 0) Go(side, now);
        }
    }

    public void OnTurn(int side, TurnPart part, Instant now)
    {
        lock (Owner)
        {
            if (part == TurnPart.Send)
            {
                if (!_isClosed && Of(side).Flush(Fd(1 - side)) is var errno and not (0 or Libc.EAGAIN))
                    Owner.OnFailed((Leg)(1 - side), RelayCall.Send, Libc.ToSocketError(errno));
                return;
            }

            Of(side).IsQueued = false;
            Go(side, now);
        }
    }

    public void OnFault(Exception fault)
    {
        lock (Owner)
        {
            if (!_isClosed) Owner.OnFault(Leg.Downstream, fault);
        }
    }

    protected override bool HasEnded(Leg leg) => Of((int)leg).HasEnded;

    protected override void Begin()
    {
        if (_isWatched)
        {
            // On the loop's thread, connected just now: what came meanwhile is not told again.
            Go((int)Leg.Downstream, MonotonicClock.Now);
            Go(Upstream, MonotonicClock.Now);
        }
        else if (!Watch()) Owner.OnFailed(Leg.Upstream, RelayCall.Receive, SocketError.NoBufferSpaceAvailable);
    }

    private void EndConnect()
    {
        int errno = Libc.ErrorOf(_upstream);
        // With a local port of the ephemeral range as target and nobody listening, TCP's simultaneous open can connect the
        // socket to itself (RFC 9293 section 3.5; Go's net, selfConnect).
        SocketError error = errno != 0 ? Libc.ToSocketError(errno)
            : SockAddr.Of(_upstream, isPeer: false) is { } local && local.Port == _port && Equals(local, SockAddr.Of(_upstream, isPeer: true)) ? SocketError.ConnectionRefused
            : SocketError.Success;
        _isConnecting = false;
        if (error == SocketError.Success) Owner.OnConnected();
        else Owner.OnFailed(Leg.Upstream, RelayCall.Connect, error);
    }

    private void Go(int side, Instant now)
    {
        ref Direction direction = ref Of(side);
        if (_isClosed || direction.IsQueued) return;
        int from = Fd(side), to = Fd(1 - side), errno = direction.Flush(to);
        if (errno == Libc.EAGAIN)
        {
            Mute(ref direction, side);
            return;
        }

        Turn turn = Turn.SendFailed;
        if (errno == 0)
        {
            if (direction.IsFinDue) SendFin(side);
            if (_isClosed || direction.HasEnded) return;
            turn = IsPlain ? Relay(ref direction, from, to, (Leg)side, now, out errno) : Inspect(ref direction, from, (Leg)side, out errno);
        }

        switch (turn)
        {
            case Turn.Waits:
                Mute(ref direction, side);
                break;
            case Turn.HasMore:
                direction.IsQueued = true;
                _loop.Again(this, side);
                break;
            case Turn.Ended:
                direction.HasEnded = true;
                direction.Drop(_loop);
                Owner.OnEnded((Leg)side);
                break;
            case Turn.ReceiveFailed:
                Owner.OnFailed((Leg)side, RelayCall.Receive, Libc.ToSocketError(errno));
                break;
            case Turn.SendFailed:
                Owner.OnFailed((Leg)(1 - side), RelayCall.Send, Libc.ToSocketError(errno));
                break;
        }
    }

    // While a sink takes less than its source sends, each packet of the source would wake us for nothing.
    private void Mute(ref Direction direction, int side)
    {
        bool isMuted = direction.IsBlocked && direction.IsMuch;
        if (_isClosed || isMuted == direction.IsMuted) return;
        direction.IsMuted = isMuted;
        if (isMuted) _loop.Mute(this, side, Fd(side));
        else _loop.Rearm(this, side, Fd(side));
    }

    private Turn Relay(ref Direction direction, int from, int to, Leg source, Instant now, out int errno)
    {
        Turn turn = direction.Relay(from, to, _loop, out int moved, out errno);
        if (moved > 0) Flow.OnReceived(source, moved, now);
        return turn;
    }

    private Turn Inspect(ref Direction direction, int from, Leg source, out int errno)
    {
        errno = 0;
        for (int moved = 0; !_isClosed;)
        {
            // A client that does not read what it is told is read no further, or its refusals would pile up here.
            if (direction.IsBlocked || (source == Leg.Downstream && Of(Upstream).IsBlocked) || Owner.IsHolding(source)) break;
            if (IsPlain || moved >= Direction.TurnBytes) return Turn.HasMore;
            nint read = Libc.recv(from, _loop.Buffer, EpollLoop.BufferBytes, Libc.MSG_DONTWAIT);
            if (read == 0) return Turn.Ended;
            if (read > 0)
            {
                moved += (int)read;
                Instant now = MonotonicClock.Now; // a round trip is measured by it, and others had their turn since the loop woke
                Flow.OnReceived(source, (int)read, now);
                Owner.OnReceived(source, new ReadOnlySpan<byte>(_loop.Buffer, (int)read), now);
                if (read < EpollLoop.BufferBytes && !direction.ReadsToTheEnd && !IsPlain) break;
                continue;
            }

            errno = Marshal.GetLastPInvokeError();
            if (errno == Libc.EAGAIN) break;
            if (errno != Libc.EINTR) return Turn.ReceiveFailed;
        }

        return Turn.Waits;
    }

    private void SendFin(int side)
    {
        ref Direction direction = ref Of(side);
        if (direction.IsFinSent) return;
        direction.IsFinSent = true;
        _ = Libc.shutdown(Fd(1 - side), Libc.SHUT_WR); // a leg that is gone needs none
        if (Of(1 - side).IsFinSent) Owner.OnDone();
    }

    private bool Watch()
    {
        _isWatched = _loop.Add(this, [_downstream, _upstream]);
        return _isWatched;
    }

    // Before the descriptors are closed: their numbers are somebody else's soon.
    private bool Forget()
    {
        if (_isClosed) return false;
        _isClosed = true;
        if (_isWatched) _loop.Forget(this);
        _fromDownstream.Drop(_loop);
        _fromUpstream.Drop(_loop);
        return true;
    }

    private bool TryAsk(Leg leg, byte* info)
    {
        const int TCP_INFO = 11;
        int length = PeerContact.InfoBytes;
        return !_isClosed && Libc.getsockopt(Fd((int)leg), Libc.IPPROTO_TCP, TCP_INFO, info, &length) == 0 && length == PeerContact.InfoBytes;
    }

    private IPAddress? AddressOf(Leg leg, bool isPeer)
    {
        lock (Owner) return _isClosed ? null : SockAddr.Of(Fd((int)leg), isPeer)?.Address;
    }

    private int Fd(int side) => side == (int)Leg.Downstream ? _downstream : _upstream;

    private ref Direction Of(int side) => ref side == (int)Leg.Downstream ? ref _fromDownstream : ref _fromUpstream;
}
