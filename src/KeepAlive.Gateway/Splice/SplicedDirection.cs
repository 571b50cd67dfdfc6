using System.Buffers;
using System.Runtime.InteropServices;

namespace KeepAlive.Gateway.Splice;

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
/// One direction of a flow. Little is copied through the loop's buffer, which is the fewest calls a message; much is moved
/// by splice(2) through a pipe, which copies nothing. While nothing flows it holds neither.
/// </summary>
internal unsafe struct SplicedDirection
{
    // Others wait meanwhile: a quarter of a millisecond.
    private const int TurnBytes = 512 * 1024;

    // So much in so many reads in a row is much, and so little in so many is little again.
    private const int MuchBytes = 16 * 1024;
    private const int MuchReads = 2;
    private const int LittleBytes = 4 * 1024;
    private const int LittleReads = 16;

    private Pipe? _pipe;
    private int _inPipe;
    private byte[]? _kept;
    private int _keptFrom;
    private int _keptTo;
    private int _inRow;
    private bool _splices;

    /// <summary>Read until the kernel says there is no more, as a short read is not the last: an end or an error was seen, which no
    /// event will tell again, or urgent data, before which recv stops.</summary>
    public bool ReadsToTheEnd { get; set; }

    /// <summary>Reads and writes until there is nothing to read, no room to write, or the turn is over.</summary>
    /// <param name="from">The source.</param>
    /// <param name="to">The sink.</param>
    /// <param name="loop">Whose thread this is.</param>
    /// <param name="moved">Bytes read.</param>
    /// <param name="errno">Of a failure.</param>
    public Turn Go(int from, int to, SpliceLoop loop, out int moved, out int errno)
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
                bool isDrained = !_splices && read < SpliceLoop.BufferBytes && _kept is null && !ReadsToTheEnd;
                Weigh(read, loop);
                if (isDrained) return Turn.Waits; // edge-triggered: what comes from now on is an event of its own
                continue;
            }

            if (read == 0) return Turn.Ended;
            int failed = Marshal.GetLastPInvokeError();
            if (failed == Libc.EINTR) continue;
            if (failed == Libc.EINVAL && _splices)
            {
                Plain(loop); // this socket cannot be spliced: it was worth a try
                _inRow = int.MinValue;
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

    /// <summary>Gives back what it holds; bytes not written yet are lost.</summary>
    public void Drop(SpliceLoop loop)
    {
        GiveBack(loop);
        if (_kept is not null) ArrayPool<byte>.Shared.Return(_kept);
        _kept = null;
    }

    /// <summary>Whether something waits for room in the sink.</summary>
    public readonly bool IsBlocked => _inPipe > 0 || _kept is not null;

    // 0 when nothing waits any more, EAGAIN when there is no room.
    private int Flush(int to)
    {
        while (_inPipe > 0)
        {
            nint moved = Libc.splice(_pipe!.Read, null, to, null, (nuint)_inPipe, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (moved > 0) _inPipe -= (int)moved;
            else if (Marshal.GetLastPInvokeError() is var errno && errno != Libc.EINTR) return errno;
        }

        while (_kept is not null)
        {
            nint sent;
            fixed (byte* bytes = _kept) sent = Libc.send(to, bytes + _keptFrom, (nuint)(_keptTo - _keptFrom), Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (sent < 0 && Marshal.GetLastPInvokeError() is var errno && errno != Libc.EINTR) return errno;
            _keptFrom += (int)Math.Max(0, sent);
            if (_keptFrom < _keptTo) continue;
            ArrayPool<byte>.Shared.Return(_kept);
            _kept = null;
        }

        return 0;
    }

    private nint Splice(int from, Pipe pipe)
    {
        nint read = Libc.splice(from, null, pipe.Write, null, (nuint)pipe.Bytes, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        if (read > 0) _inPipe = (int)read;
        return read;
    }

    private nint Copy(int from, int to, SpliceLoop loop, out int errno)
    {
        errno = 0;
        nint read = Libc.recv(from, loop.Buffer, SpliceLoop.BufferBytes, Libc.MSG_DONTWAIT);
        if (read <= 0) return read;
        nint sent = Libc.send(to, loop.Buffer, (nuint)read, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
        if (sent < 0)
        {
            int failed = Marshal.GetLastPInvokeError();
            if (failed is not (Libc.EAGAIN or Libc.EINTR)) errno = failed;
            sent = 0;
        }

        if (sent < read) Keep(loop.Buffer + sent, (int)(read - sent));
        return read;
    }

    private void Keep(byte* bytes, int count)
    {
        _kept = ArrayPool<byte>.Shared.Rent(count);
        new ReadOnlySpan<byte>(bytes, count).CopyTo(_kept);
        (_keptFrom, _keptTo) = (0, count);
    }

    // Much is moved, little is copied: which it is, the last reads say.
    private void Weigh(nint read, SpliceLoop loop)
    {
        bool isOther = _splices ? read < LittleBytes : read >= MuchBytes;
        if (_inRow < 0) return;
        _inRow = isOther ? _inRow + 1 : 0;
        if (_inRow < (_splices ? LittleReads : MuchReads)) return;
        _inRow = 0;
        if (!_splices) _splices = true;
        else if (_inPipe == 0) Plain(loop);
    }

    private void Plain(SpliceLoop loop)
    {
        _splices = false;
        GiveBack(loop);
    }

    private void GiveBack(SpliceLoop loop)
    {
        if (_pipe is null) return;
        loop.Pipes.Return(_pipe, _inPipe == 0);
        (_pipe, _inPipe) = (null, 0);
    }
}
