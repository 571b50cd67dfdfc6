using System.Numerics;

namespace KeepAlive.Core;

/// <summary>A flow's place in a <see cref="Schedule{T}"/>.</summary>
internal readonly record struct ScheduleEntry
{
    internal ScheduleEntry(int index, int version) => (Index, Version) = (index, version);

    internal int Index { get; }

    internal int Version { get; }
}

/// <summary>
/// Deadlines of millions of items on one clock: a hierarchical timing wheel (Varghese and Lauck, 1987) of
/// four levels of 256 slots, 13.1 ms each on the lowest, 32 bytes an item, every operation O(1).
/// </summary>
/// <remarks>
/// <para>
/// Made for deadlines that only ever move later: activity does not touch it. When an old deadline comes up,
/// the taker asks its item for the real one and arms it again.
/// </para>
/// <para>Never early; late by up to one slot. Not thread-safe: its owner locks.</para>
/// </remarks>
internal sealed class Schedule<T>
    where T : class
{
    private const int SlotShift = 17; // 2^17 ticks of 100 ns = 13.1 ms
    private const int LevelBits = 8;
    private const int Slots = 1 << LevelBits;
    private const int Levels = 4; // 2^(17+32) ticks = 651 days, beyond KeepAlivePolicy.DurationMax
    private const int ChunkBits = 12;
    private const int None = -1;
    private const int Parked = -1;

    private readonly int[] _heads = new int[Levels * Slots];
    private readonly ulong[] _occupied = new ulong[Levels * Slots / 64];
    private readonly List<Node[]> _chunks = [];
    private int _free = None;
    private int _used;
    private long _current;

    /// <summary>An empty schedule whose clock stands at <paramref name="start"/>.</summary>
    public Schedule(Instant start)
    {
        Array.Fill(_heads, None);
        _current = start.Ticks >> SlotShift;
    }

    /// <summary>Items in it, armed or parked.</summary>
    public int Count { get; private set; }

    /// <summary>Puts an item in. <see cref="Instant.Never"/> parks it: kept, but without a deadline.</summary>
    public ScheduleEntry Add(T item, Instant deadline)
    {
        int index = _free;
        if (index == None) index = Grow();
        ref Node node = ref At(index);
        _free = node.Next;
        node.Item = item;
        Count++;
        Link(index, ref node, deadline);
        return new ScheduleEntry(index, node.Version);
    }

    /// <summary>Gives an item a new deadline, earlier or later; parks it with <see cref="Instant.Never"/>. A removed entry is left alone.</summary>
    public void Arm(ScheduleEntry entry, Instant deadline)
    {
        if (!IsIn(entry)) return;
        ref Node node = ref At(entry.Index);
        Unlink(ref node);
        Link(entry.Index, ref node, deadline);
    }

    /// <summary>Takes an item out for good. Twice is harmless.</summary>
    /// <returns>Whether it was in.</returns>
    public bool Remove(ScheduleEntry entry)
    {
        if (!IsIn(entry)) return false;
        ref Node node = ref At(entry.Index);
        Unlink(ref node);
        node.Item = null;
        node.Version++;
        node.Next = _free;
        _free = entry.Index;
        Count--;
        return true;
    }

    /// <summary>The next item whose deadline is not after <paramref name="now"/>; it is parked until armed again.</summary>
    public bool TryTake(Instant now, out T item)
    {
        long target = now.Ticks >> SlotShift;
        while (true)
        {
            int head = _heads[(int)(_current & (Slots - 1))];
            if (head != None && _current <= target)
            {
                ref Node node = ref At(head);
                Unlink(ref node);
                item = node.Item!;
                return true;
            }

            if (_current >= target)
            {
                item = null!;
                return false;
            }

            Step(target);
        }
    }

    /// <summary>No item is due before this; <see cref="Instant.Never"/> when none is armed.</summary>
    public Instant NextWake => NextSlot() is var next && next == long.MaxValue ? Instant.Never : new Instant(next << SlotShift);

    // The next slot with something in it, on any level; between, nothing is due and nothing moves down.
    private long NextSlot()
    {
        long best = long.MaxValue;
        for (int level = 0; level < Levels; level++)
        {
            int shift = level * LevelBits;
            long position = _current >> shift;
            // On the upper levels the slot of the current position is next round's: it was emptied on entering it.
            int ahead = NextOccupied(level, (int)(position & (Slots - 1)), includeFirst: level == 0);
            if (ahead >= 0) best = Math.Min(best, (position + ahead) << shift);
        }

        return best;
    }

    private void Step(long target)
    {
        _current = Math.Min(target, NextSlot());
        if ((_current & (Slots - 1)) == 0) Cascade(1);
    }

    // Entering a block: what waited for it one level up moves down. Upper levels first, as they may feed this one.
    private void Cascade(int level)
    {
        if (level == Levels) return;
        int slot = (int)((_current >> (level * LevelBits)) & (Slots - 1));
        if (slot == 0) Cascade(level + 1);
        while (_heads[(level * Slots) + slot] is var index and not None)
        {
            ref Node node = ref At(index);
            Unlink(ref node);
            Link(index, ref node, new Instant(node.Deadline));
        }
    }

    private void Link(int index, ref Node node, Instant deadline)
    {
        node.Deadline = deadline.Ticks;
        node.Slot = Parked;
        if (deadline == Instant.Never) return;
        bool partSlot = (deadline.Ticks & ((1L << SlotShift) - 1)) != 0;
        long due = Math.Max(_current, (deadline.Ticks >> SlotShift) + (partSlot ? 1 : 0));
        // A deadline beyond the wheel waits in its farthest slot and is placed again from there.
        due = Math.Min(due, _current + (1L << (Levels * LevelBits)) - 1);
        int level = 0;
        while ((due - _current) >> ((level + 1) * LevelBits) != 0) level++;
        int slot = (level * Slots) + (int)((due >> (level * LevelBits)) & (Slots - 1));
        node.Slot = (short)slot;
        node.Prev = None;
        node.Next = _heads[slot];
        if (node.Next != None) At(node.Next).Prev = index;
        _heads[slot] = index;
        _occupied[slot >> 6] |= 1UL << (slot & 63);
    }

    private void Unlink(ref Node node)
    {
        if (node.Slot == Parked) return;
        if (node.Prev != None) At(node.Prev).Next = node.Next;
        else _heads[node.Slot] = node.Next;
        if (node.Next != None) At(node.Next).Prev = node.Prev;
        if (_heads[node.Slot] == None) _occupied[node.Slot >> 6] &= ~(1UL << (node.Slot & 63));
        node.Slot = Parked;
    }

    // Slots from `from` to the next occupied one, going round; -1 when the level is empty.
    private int NextOccupied(int level, int from, bool includeFirst)
    {
        ReadOnlySpan<ulong> words = _occupied.AsSpan(level * (Slots / 64), Slots / 64);
        int start = includeFirst ? 0 : 1;
        for (int ahead = start; ahead <= Slots;)
        {
            int slot = (from + ahead) & (Slots - 1);
            ulong word = words[slot >> 6] >> (slot & 63);
            if (word != 0)
            {
                ahead += BitOperations.TrailingZeroCount(word);
                return ahead <= Slots ? ahead : -1;
            }

            ahead += 64 - (slot & 63);
        }

        return -1;
    }

    private int Grow()
    {
        if (_used >> ChunkBits == _chunks.Count) _chunks.Add(new Node[1 << ChunkBits]);
        ref Node node = ref At(_used);
        node.Next = None;
        node.Version = 1; // not the default handle's
        return _used++;
    }

    private bool IsIn(ScheduleEntry entry) =>
        entry.Index < _used && At(entry.Index) is { Item: not null } node && node.Version == entry.Version;

    private ref Node At(int index) => ref _chunks[index >> ChunkBits][index & ((1 << ChunkBits) - 1)];

    private struct Node
    {
        public T? Item;
        public long Deadline;
        public int Next;
        public int Prev;
        public int Version;
        public short Slot;
    }
}
