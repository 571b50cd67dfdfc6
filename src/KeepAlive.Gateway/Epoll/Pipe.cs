namespace KeepAlive.Gateway.Epoll;

/// <summary>A pipe through which splice(2) moves pages from one socket to another.</summary>
internal sealed class Pipe
{
    // Measured: 64 KB costs twice the processor time a gigabyte of 1 MB. The kernel's most for an ordinary user
    // (/proc/sys/fs/pipe-max-size); where it gives less, less it is.
    private const int WantedBytes = 1 << 20;

    private Pipe(int read, int write, int bytes) => (Read, Write, Bytes) = (read, write, bytes);

    public int Read { get; }

    public int Write { get; }

    public int Bytes { get; }

    /// <summary>Null when there are no descriptors left for it: a flow goes on without one.</summary>
    public static unsafe Pipe? Make()
    {
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_NONBLOCK | Libc.O_CLOEXEC) != 0) return null;
        _ = Libc.fcntl(ends[1], Libc.F_SETPIPE_SZ, WantedBytes);
        var pipe = new Pipe(ends[0], ends[1], Libc.fcntl(ends[1], Libc.F_GETPIPE_SZ, 0));
        if (!DescriptorReserve.IsTouchedBy(Math.Max(ends[0], ends[1]), DescriptorReserve.Flows)) return pipe;
        pipe.Close();
        return null;
    }

    public void Close()
    {
        _ = Libc.close(Read);
        _ = Libc.close(Write);
    }
}

/// <summary>Pipes that wait to be used again: a flow has one only while much data flows through it.</summary>
internal sealed class PipePool
{
    // Each keeps its pages' memory only while it holds data; empty it costs two descriptors.
    private const int IdleMax = 32;

    private readonly Stack<Pipe> _idle = [];

    public Pipe? Borrow()
    {
        lock (_idle) return _idle.Count > 0 ? _idle.Pop() : Pipe.Make();
    }

    /// <summary>One that still holds data is closed: nobody wants that.</summary>
    public void Return(Pipe pipe, bool isEmpty)
    {
        lock (_idle)
        {
            if (isEmpty && _idle.Count < IdleMax)
            {
                _idle.Push(pipe);
                return;
            }
        }

        pipe.Close();
    }
}
