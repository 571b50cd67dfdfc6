using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Splice;

/// <summary>Something that waits for its descriptors.</summary>
internal abstract class Watched
{
    /// <summary>Its place in the loop's table, and a number that tells it from whoever had the place before.</summary>
    public int Slot { get; set; }

    public uint Generation { get; set; }

    /// <summary>On the loop's thread.</summary>
    /// <param name="side">Which of its descriptors: 0 or 1.</param>
    /// <param name="events">EPOLLIN and others.</param>
    /// <param name="now">When it woke.</param>
    public abstract void OnEvents(int side, uint events, Instant now);

    /// <summary>The turn it asked for by <see cref="SpliceLoop.Again"/>. On the loop's thread.</summary>
    public abstract void OnTurn(int side, Instant now);

    /// <summary>A fault of our own while it was told something: it costs this one, not the loop of all.</summary>
    public abstract void OnFault(Exception fault);
}

/// <summary>One thread that waits for many sockets at once (epoll(7), edge-triggered: registered once, never again).</summary>
internal sealed unsafe class SpliceLoop
{
    public const int BufferBytes = 64 * 1024;

    private const int EventsMax = 256;

    // struct epoll_event is packed on x86-64 and on no other architecture (sys/epoll.h).
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = EventBytes - 8;

    private static readonly SpliceLoop[] Loops = Start();
    private static int s_next;

    private readonly int _epoll;
    private readonly Lock _lock = new();
    private readonly List<Watched?> _table = [];
    private readonly Stack<int> _free = [];
    private readonly Queue<(Watched Who, int Side)> _again = [];
    private uint _generation;

    private SpliceLoop(int epoll)
    {
        _epoll = epoll;
        new Thread(Run) { IsBackground = true, Name = "relay" }.Start();
    }

    public PipePool Pipes { get; } = new();

    /// <summary>What is read by copying goes through here, and leaves it before the next is read.</summary>
    public byte* Buffer { get; } = (byte*)NativeMemory.AlignedAlloc(BufferBytes, 64);

    /// <summary>A loop for one more flow; null where this engine cannot be.</summary>
    public static SpliceLoop? Next() => Loops.Length == 0 ? null : Loops[(uint)Interlocked.Increment(ref s_next) % Loops.Length];

    /// <summary>Watches both descriptors. Events may come before this returns.</summary>
    /// <returns>Whether it does; the kernel has no room otherwise.</returns>
    public bool Add(Watched who, ReadOnlySpan<int> fds)
    {
        lock (_lock)
        {
            if (!_free.TryPop(out int slot))
            {
                slot = _table.Count;
                _table.Add(null);
            }

            _table[slot] = who;
            (who.Slot, who.Generation) = (slot, unchecked(++_generation));
        }

        byte* wanted = stackalloc byte[16];
        for (int side = 0; side < fds.Length; side++)
        {
            var entry = new Span<byte>(wanted, EventBytes);
            entry.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(entry, Libc.EPOLLIN | Libc.EPOLLPRI | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[DataAt..], ((uint)who.Slot << 1) | (uint)side);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[(DataAt + 4)..], who.Generation);
            if (Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_ADD, fds[side], wanted) == 0) continue;
            Remove(who, fds[..side]);
            return false;
        }

        return true;
    }

    /// <summary>Watches it no more. An event that is on its way finds nobody.</summary>
    public void Remove(Watched who, ReadOnlySpan<int> fds)
    {
        foreach (int fd in fds) _ = Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_DEL, fd, null);
        lock (_lock)
        {
            if (_table[who.Slot] != who) return;
            _table[who.Slot] = null;
            _free.Push(who.Slot);
        }
    }

    /// <summary>It has more to do than it may do at once: after the others. Once until <see cref="Watched.OnTurn"/>. On the loop's thread.</summary>
    public void Again(Watched who, int side) => _again.Enqueue((who, side));

    private static SpliceLoop[] Start()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64)) return [];
        // Half of the processors: the ends of the flows, and the kernel's own work, need some.
        var loops = new List<SpliceLoop>();
        for (int i = 0; i < Math.Max(1, Environment.ProcessorCount / 2); i++)
        {
            int epoll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
            if (epoll >= 0) loops.Add(new SpliceLoop(epoll));
        }

        return [.. loops];
    }

    private void Run()
    {
        byte* events = (byte*)NativeMemory.Alloc((nuint)(EventsMax * EventBytes));
        while (true)
        {
            int count = Libc.epoll_wait(_epoll, events, EventsMax, _again.Count > 0 ? 0 : -1);
            Instant now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                var entry = new ReadOnlySpan<byte>(events + (i * EventBytes), EventBytes);
                uint place = BinaryPrimitives.ReadUInt32LittleEndian(entry[DataAt..]), generation = BinaryPrimitives.ReadUInt32LittleEndian(entry[(DataAt + 4)..]);
                if (Find((int)(place >> 1), generation) is { } who) Tell(who, (int)(place & 1), BinaryPrimitives.ReadUInt32LittleEndian(entry), now);
            }

            for (int left = _again.Count; left > 0; left--)
            {
                (Watched who, int side) = _again.Dequeue();
                Tell(who, side, null, now);
            }
        }
    }

    private static void Tell(Watched who, int side, uint? events, Instant now)
    {
        try
        {
            if (events is { } seen) who.OnEvents(side, seen, now);
            else who.OnTurn(side, now);
        }
        catch (Exception e)
        {
            who.OnFault(e);
        }
    }

    private Watched? Find(int slot, uint generation)
    {
        lock (_lock) return _table[slot] is { } who && who.Generation == generation ? who : null;
    }
}
