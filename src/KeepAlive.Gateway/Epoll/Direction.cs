using System.Runtime.InteropServices;

namespace KeepAlive.Gateway.Epoll;

/// <summary>How far a turn of one direction came.</summary>
internal enum Turn
{
    /// <summary>Nothing more to read, or no room to write: an event will tell.</summary>
    Waits,

    /// <summary>There is more, and others are to have a turn first.</summary>
    HasMore,

    /// <summary>The source has ended; all it said is on its way.</summary>
    Ended,

    /// <summary>The source's leg failed; errno beside it.</summary>
    ReceiveFailed,

    /// <summary>The sink's leg failed; errno beside it.</summary>
    SendFailed,
}

/// <summary>
/// One direction of a flow, from its source to its sink. Relayed plainly, little is copied through the loop's buffer, which is
/// the fewest calls a message, and much is moved by splice(2) through a pipe, which copies nothing. While nothing flows it
/// holds neither.
/// </summary>
internal unsafe struct Direction
{
    // Others wait meanwhile: a quarter of a millisecond.
    public const int TurnBytes = 512 * 1024;

    // So much in so many reads in a row is much, and so little in so many is little again.
    private const int MuchBytes = 16 * 1024;
    private const int MuchReads = 2;
    private const int LittleBytes = 4 * 1024;
    private const int LittleReads = 16;

    private Pipe? _pipe;
    private Outbox? _waiting;
    private int _inPipe;
    private short _inRow;
    private bool _splices;

    /// <summary>Read until the kernel says there is no more, as a short read is not the last: an end or an error was seen, which no
    /// event will tell again, or urgent data, before which recv stops.</summary>
    public bool ReadsToTheEnd { get; set; }

    /// <summary>It waits for its turn; what events tell meanwhile it will find by itself.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Nobody is told of more to read: the sink has no room.</summary>
    public bool IsMuted { get; set; }

    /// <summary>The source has sent its FIN.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The sink is to get a FIN behind what waits.</summary>
    public bool IsFinDue { get; set; }

    public bool IsFinSent { get; set; }

    /// <summary>Whether much flows.</summary>
    public readonly bool IsMuch => _splices;

    /// <summary>Whether something waits for room in the sink.</summary>
    public readonly bool IsBlocked => _inPipe > 0 || _waiting is not null;

    /// <summary>Reads and writes until there is nothing to read, no room to write, or the turn is over.</summary>
    /// <param name="from">The source.</param>
    /// <param name="to">The sink.</param>
    /// <param name="loop">Whose thread this is.</param>
    /// <param name="moved">Bytes read.</param>
    /// <param name="errno">Of a failure.</param>
    public Turn Relay(int from, int to, EpollLoop loop, out int moved, out int errno)
    {
        for (moved = 0; ;)
        {
            errno = Flush(to);
            if (errno == Libc.EAGAIN) return Turn.Waits;
            if (errno != 0) return Turn.SendFailed;
            if (moved >= TurnBytes) return Turn.HasMore;
            if (_splices && (_pipe ??= loop.Pipes.Borrow()) is null) _splices = false; // no descriptors left
            nint read = _splices ? Splice(from, _pipe!) : Copy(from, to, loop, out errno);
            if (errno != 0) return Turn.SendFailed;
            if (read > 0)
            {
                moved += (int)read;
                bool isDrained = !_splices && read < EpollLoop.BufferBytes && _waiting is null && !ReadsToTheEnd;
                Weigh(read, loop);
                // Sent in the next turn: the others' reads come first, and the ends of the flows are at work meanwhile. Measured with
                // 16 flows: 1.3 times the throughput of sending at once, and 0.85 of the machine's processor time.
                if (_inPipe > 0 && (loop.IsBusy || moved >= TurnBytes)) return Turn.HasMore;
                if (isDrained) return Turn.Waits; // edge-triggered: what comes from now on is an event of its own
                continue;
            }

            if (read == 0) return Turn.Ended;
            int failed = Marshal.GetLastPInvokeError();
            if (failed == Libc.EINTR) continue;
            if (failed == Libc.EINVAL && _splices)
            {
                Plain(loop); // this socket cannot be spliced: it was worth a try
                _inRow = short.MinValue;
                continue;
            }

            if (failed == Libc.EAGAIN)
            {
                GiveBack(loop);
                return Turn.Waits;
            }

            errno = failed;
            return Turn.ReceiveFailed;
        }
    }

    /// <summary>Sends what waits: 0 when nothing does any more, otherwise EAGAIN or why it failed.</summary>
    public int Flush(int to)
    {
        while (_inPipe > 0)
        {
            nint moved = Libc.splice(_pipe!.Read, null, to, null, (nuint)_inPipe, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (moved > 0) _inPipe -= (int)moved;
            else if (Marshal.GetLastPInvokeError() is var failed && failed != Libc.EINTR) return failed;
        }

        if (_waiting is null) return 0;
        int errno = _waiting.Send(to);
        if (errno == 0) _waiting = null;
        return errno;
    }

    /// <summary>Sends bytes behind what waits; 0, or why it failed. What there is no room for waits.</summary>
    /// <param name="to">The sink.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="urgentUpTo">How many of them end in a byte of TCP urgent data; 0 for none.</param>
    public int Send(int to, ReadOnlySpan<byte> bytes, int urgentUpTo)
    {
        int sent = 0;
        if (!IsBlocked)
        {
            int errno = Outbox.Send(to, bytes, urgentUpTo - 1, out sent);
            if (errno != Libc.EAGAIN) return errno;
        }

        (_waiting ??= new Outbox()).Add(bytes[sent..], urgentUpTo - sent);
        return 0;
    }

    /// <summary>Gives back what it holds; bytes not written yet are lost.</summary>
    public void Drop(EpollLoop loop)
    {
        GiveBack(loop);
        _waiting = null;
    }

    private nint Splice(int from, Pipe pipe)
    {
        nint read = Libc.splice(from, null, pipe.Write, null, (nuint)pipe.Bytes, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        if (read > 0) _inPipe = (int)read;
        return read;
    }

    private nint Copy(int from, int to, EpollLoop loop, out int errno)
    {
        nint read = Libc.recv(from, loop.Buffer, EpollLoop.BufferBytes, Libc.MSG_DONTWAIT);
        errno = read > 0 ? Send(to, new ReadOnlySpan<byte>(loop.Buffer, (int)read), 0) : 0;
        return read;
    }

    // Much is moved, little is copied: which it is, the last reads say.
    private void Weigh(nint read, EpollLoop loop)
    {
        bool isOther = _splices ? read < LittleBytes : read >= MuchBytes;
        if (_inRow < 0) return;
        _inRow = isOther ? (short)(_inRow + 1) : (short)0;
        if (_inRow < (_splices ? LittleReads : MuchReads)) return;
        _inRow = 0;
        if (!_splices) _splices = true;
        else if (_inPipe == 0) Plain(loop);
    }

    private void Plain(EpollLoop loop)
    {
        _splices = false;
        GiveBack(loop);
    }

    private void GiveBack(EpollLoop loop)
    {
        if (_pipe is null) return;
        loop.Pipes.Return(_pipe, _inPipe == 0);
        (_pipe, _inPipe) = (null, 0);
    }
}
