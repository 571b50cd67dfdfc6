using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Epoll;

/// <summary>Something that waits for its descriptors. It is told on the loop's thread.</summary>
internal interface IWatched
{
    /// <summary>Its place in the loop's table, and a number that tells it from whoever had the place before.</summary>
    WatchedPlace Place { get; set; }

    /// <summary>Something happened.</summary>
    /// <param name="side">Which of its descriptors: 0 or 1.</param>
    /// <param name="events">EPOLLIN and others.</param>
    /// <param name="now">When the loop woke.</param>
    void OnEvents(int side, uint events, Instant now);

    /// <summary>A part of the turn it asked for by <see cref="EpollLoop.Again"/>.</summary>
    void OnTurn(int side, TurnPart part, Instant now);

    /// <summary>A fault of our own while it was told something: it costs this one, not the loop of all.</summary>
    void OnFault(Exception fault);
}

/// <summary>All that have a turn send before any of them reads.</summary>
internal enum TurnPart
{
    /// <summary>What was read in an earlier turn is sent.</summary>
    Send,

    /// <summary>The rest; it may ask for another.</summary>
    Read,
}

/// <summary>A place in a loop's table.</summary>
internal readonly record struct WatchedPlace(int Slot, uint Generation);

/// <summary>
/// One thread that waits for many sockets at once (epoll(7), edge-triggered: registered once, never again), and for the
/// deadlines of flows: who is probed here is answered here, so nobody is woken or locked out for it.
/// </summary>
internal sealed unsafe class EpollLoop
{
    public const int BufferBytes = 64 * 1024;

    private const int EventsMax = 256;
    private const uint WantedOfAll = Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE;
    private const uint Wanted = Libc.EPOLLIN | Libc.EPOLLPRI | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;

    // struct epoll_event is packed on x86-64 and on no other architecture (sys/epoll.h).
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = EventBytes - 8;

    // As many as processors: sixteen busy flows then use both of two as the peers do, and cost 1.3 times less than on one.
    private static readonly EpollLoop[] Loops = Open();

    [ThreadStatic]
    private static EpollLoop? t_here;

    private readonly int _epoll;
    private readonly Lock _lock = new();
    private readonly Stack<int> _free = [];
    private List<(IWatched Who, int Side)> _again = [];
    private List<(IWatched Who, int Side)> _turns = [];
    private IWatched?[] _table = new IWatched?[64];
    private int _used;
    private uint _generation;
    private volatile int _count;

    private EpollLoop(int epoll, int bell)
    {
        _epoll = epoll;
        Clock = new FlowClock(() =>
        {
            // On its own thread it asks the clock before it waits.
            if (t_here != this) Libc.Ring(bell);
        });
        _ = Add(new Bell(), [bell], Libc.EPOLLIN | Libc.EPOLLET);
        new Thread(Run) { IsBackground = true, Name = "relay" }.Start();
    }

    public PipePool Pipes { get; } = new();

    /// <summary>For flows that are relayed here, though any will do.</summary>
    public FlowClock Clock { get; }

    /// <summary>What is read by copying goes through here, and leaves it before the next is read.</summary>
    public byte* Buffer { get; } = (byte*)NativeMemory.AlignedAlloc(BufferBytes, 64);

    /// <summary>Whether more than one has something to do now.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Whether this engine can be here.</summary>
    public static bool IsHere => Loops.Length > 0;

    public static IReadOnlyList<EpollLoop> All => Loops;

    /// <summary>A loop for one more flow: the one whose thread this is, unless another has less to watch.</summary>
    public static EpollLoop Next()
    {
        EpollLoop least = Loops[0];
        foreach (EpollLoop loop in Loops)
            if (loop._count < least._count) least = loop;
        return t_here is { } here && here._count <= least._count + 1 ? here : least;
    }

    /// <summary>Watches descriptors. Events may come before this returns.</summary>
    /// <returns>Whether it does; the kernel has no room otherwise.</returns>
    public bool Add(IWatched who, ReadOnlySpan<int> fds) => Add(who, fds, Wanted);

    /// <summary>Watches a listener that every loop watches: one of them is told of a client, as long as it waits (level-triggered).</summary>
    public bool AddShared(IWatched who, int listener) => Add(who, [listener], WantedOfAll);

    /// <summary>Tells again what this descriptor is ready for, as if it had just become so.</summary>
    public void Rearm(IWatched who, int side, int fd) => Control(Libc.EPOLL_CTL_MOD, who, side, fd, Wanted);

    /// <summary>Tells no more of what can be read, until <see cref="Rearm"/>.</summary>
    public void Mute(IWatched who, int side, int fd) => Control(Libc.EPOLL_CTL_MOD, who, side, fd, Wanted & ~Libc.EPOLLIN);

    /// <summary>Watches it no more, and an event that is on its way finds nobody. Its descriptors are closed next: that is what takes
    /// them out of the kernel's table.</summary>
    public void Forget(IWatched who)
    {
        lock (_lock)
        {
            if (_table[who.Place.Slot] != who) return;
            _table[who.Place.Slot] = null;
            _free.Push(who.Place.Slot);
            _count--;
        }
    }

    /// <summary>As <see cref="Forget"/>, for a descriptor that stays open.</summary>
    public void Remove(IWatched who, int fd)
    {
        _ = Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_DEL, fd, null);
        Forget(who);
    }

    /// <summary>It has more to do than it may do at once: after the others. Once until <see cref="IWatched.OnTurn"/>. On the loop's thread.</summary>
    public void Again(IWatched who, int side) => _again.Add((who, side));

    private static EpollLoop[] Open()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64)) return [];
        var loops = new List<EpollLoop>();
        for (int i = 0; i < Environment.ProcessorCount; i++)
        {
            int epoll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC), bell = Libc.eventfd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK);
            if (epoll >= 0 && bell >= 0) loops.Add(new EpollLoop(epoll, bell));
        }

        return [.. loops];
    }

    private bool Add(IWatched who, ReadOnlySpan<int> fds, uint events)
    {
        lock (_lock)
        {
            if (!_free.TryPop(out int slot)) slot = _used++;
            if (slot == _table.Length) Array.Resize(ref _table, 2 * slot);
            who.Place = new WatchedPlace(slot, unchecked(++_generation));
            _table[slot] = who;
            _count++;
        }

        for (int side = 0; side < fds.Length; side++)
        {
            if (Control(Libc.EPOLL_CTL_ADD, who, side, fds[side], events)) continue;
            for (int added = 0; added < side; added++) _ = Libc.epoll_ctl(_epoll, Libc.EPOLL_CTL_DEL, fds[added], null);
            Forget(who);
            return false;
        }

        return true;
    }

    private bool Control(int operation, IWatched who, int side, int fd, uint events)
    {
        byte* wanted = stackalloc byte[16];
        var entry = new Span<byte>(wanted, EventBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(entry, events);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[DataAt..], ((uint)who.Place.Slot << 1) | (uint)side);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[(DataAt + 4)..], who.Place.Generation);
        return Libc.epoll_ctl(_epoll, operation, fd, wanted) == 0;
    }

    private void Run()
    {
        t_here = this;
        byte* events = (byte*)NativeMemory.Alloc((nuint)(EventsMax * EventBytes));
        while (true)
        {
            int idle = Clock.Tick(MonotonicClock.Now);
            int count = Libc.epoll_wait(_epoll, events, EventsMax, _again.Count > 0 ? 0 : idle);
            Instant now = MonotonicClock.Now;
            IsBusy = count + _again.Count > 1;
            for (int i = 0; i < count; i++)
            {
                var entry = new ReadOnlySpan<byte>(events + (i * EventBytes), EventBytes);
                uint place = BinaryPrimitives.ReadUInt32LittleEndian(entry[DataAt..]), generation = BinaryPrimitives.ReadUInt32LittleEndian(entry[(DataAt + 4)..]);
                if (Find(new WatchedPlace((int)(place >> 1), generation)) is { } who)
                    Tell(who, (int)(place & 1), BinaryPrimitives.ReadUInt32LittleEndian(entry), TurnPart.Read, now);
            }

            (_turns, _again) = (_again, _turns);
            foreach ((IWatched who, int side) in _turns) Tell(who, side, 0, TurnPart.Send, now);
            foreach ((IWatched who, int side) in _turns) Tell(who, side, 0, TurnPart.Read, now);
            _turns.Clear();
        }
    }

    private static void Tell(IWatched who, int side, uint events, TurnPart part, Instant now)
    {
        try
        {
            if (events != 0) who.OnEvents(side, events, now);
            else who.OnTurn(side, part, now);
        }
        catch (Exception e)
        {
            who.OnFault(e);
        }
    }

    private IWatched? Find(WatchedPlace place)
    {
        lock (_lock) return _table[place.Slot] is { } who && who.Place == place ? who : null;
    }

    // It has only to wake the loop. Never read: each ring of an edge-triggered one tells again.
    private sealed class Bell : IWatched
    {
        public WatchedPlace Place { get; set; }

        public void OnEvents(int side, uint events, Instant now)
        {
        }

        public void OnTurn(int side, TurnPart part, Instant now)
        {
        }

        public void OnFault(Exception fault)
        {
        }
    }
}
