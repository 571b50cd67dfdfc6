using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class ScheduleTests
{
    private const int Seeds = 400;
    private static readonly TimeSpan Slot = TimeSpan.FromTicks(1 << 17);
    private static readonly Instant Start = Instant.Zero + TimeSpan.FromDays(3);

    private sealed class Item
    {
        public ScheduleEntry Entry;
        public Instant Deadline;
        public bool Removed;
    }

    [Fact]
    public void Agrees_with_a_list_never_early_and_late_by_a_slot_at_most()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            var schedule = new Schedule<Item>(Start);
            var items = new List<Item>();
            Instant now = Start;
            for (int step = 0; step < 300; step++)
            {
                Instant at() => random.Next(20) == 0 ? Instant.Never : now + Span(random);
                if (random.Next(3) == 0 || items.Count == 0)
                {
                    var item = new Item { Deadline = at() };
                    item.Entry = schedule.Add(item, item.Deadline);
                    items.Add(item);
                }

                Item one = items[random.Next(items.Count)];
                if (random.Next(4) == 0) Rearm(schedule, one, at());
                if (random.Next(10) == 0) Remove(schedule, one);
                Assert.True(schedule.NextWake <= Next(items) + Slot, $"seed {seed}: wakes at {schedule.NextWake}, due at {Next(items)}");
                now += random.Next(5) == 0 ? TimeSpan.FromMilliseconds(Math.Pow(10, random.NextDouble() * 7)) : TimeSpan.FromMilliseconds(random.Next(200));
                while (schedule.TryTake(now, out Item due))
                {
                    Assert.True(!due.Removed && due.Deadline <= now, $"seed {seed}: taken {due.Deadline - now} early");
                    due.Deadline = Instant.Never;
                    if (random.Next(2) == 0) Rearm(schedule, due, now + Span(random) + TimeSpan.FromMilliseconds(1));
                }

                Assert.All(items.Where(i => !i.Removed), i => Assert.True(i.Deadline + Slot > now, $"seed {seed}: {now - i.Deadline} late"));
                Assert.Equal(items.Count(i => !i.Removed), schedule.Count);
            }
        }
    }

    [Fact]
    public void An_entry_that_was_removed_is_left_alone()
    {
        var schedule = new Schedule<string>(Start);
        ScheduleEntry old = schedule.Add("old", Start);
        schedule.Remove(old);
        schedule.Add("new", Instant.Never); // takes the old one's place
        schedule.Arm(old, Start);
        schedule.Remove(old);
        Assert.False(schedule.TryTake(Start + TimeSpan.FromDays(1), out _));
        Assert.Equal((1, Instant.Never), (schedule.Count, schedule.NextWake));
    }

    [Fact]
    public void A_million_items_take_less_than_64_bytes_each()
    {
        const int Items = 1_000_000;
        string item = "the flow itself is not counted";
        long before = GC.GetAllocatedBytesForCurrentThread();
        var schedule = new Schedule<string>(Start);
        for (int i = 0; i < Items; i++) schedule.Add(item, Start + TimeSpan.FromMilliseconds(i));
        double each = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Items;
        Assert.True(each < 64, $"{each:0.0} bytes an item");
    }

    [Fact]
    public void A_handle_that_was_never_given_out_is_left_alone()
    {
        var schedule = new Schedule<string>(Start);
        schedule.Arm(default, Start);
        schedule.Remove(default);
        schedule.Add("first", Instant.Never);
        schedule.Arm(default, Start);
        schedule.Remove(default);
        Assert.False(schedule.TryTake(Start + TimeSpan.FromDays(1), out _));
        Assert.Equal(1, schedule.Count);
    }

    /// <summary>A machine that slept, or a schedule with one far deadline: time passes in steps of what is in it, not in slots.</summary>
    [Fact]
    public void A_jump_of_years_costs_no_walk_through_them()
    {
        var schedule = new Schedule<string>(Start);
        ScheduleEntry entry = schedule.Add("far", Instant.Never);
        Instant now = Start;
        for (int i = 0; i < 20_000; i++)
        {
            schedule.Arm(entry, now + TimeSpan.FromDays(365));
            Assert.False(schedule.TryTake(now + TimeSpan.FromDays(364), out _));
            now += TimeSpan.FromDays(365) + Slot;
            Assert.True(schedule.TryTake(now, out _));
        }
    }

    [Fact]
    public void Between_two_deadlines_it_wakes_only_to_sort_what_comes_nearer()
    {
        var schedule = new Schedule<string>(Start);
        Instant due = Start + TimeSpan.FromDays(30);
        schedule.Add("far", due);
        int wakes = 0;
        for (Instant now = Start; !schedule.TryTake(now, out _); wakes++)
        {
            now = schedule.NextWake;
            Assert.True(now <= due + Slot, $"wakes at {now}");
        }

        Assert.True(wakes <= 4, $"{wakes} wakes");
    }

    private static void Rearm(Schedule<Item> schedule, Item item, Instant deadline)
    {
        if (item.Removed) return;
        item.Deadline = deadline;
        schedule.Arm(item.Entry, deadline);
    }

    private static void Remove(Schedule<Item> schedule, Item item)
    {
        schedule.Remove(item.Entry);
        item.Removed = true;
    }

    private static Instant Next(List<Item> items) => items.Where(i => !i.Removed).Select(i => i.Deadline).DefaultIfEmpty(Instant.Never).Min();

    // Milliseconds to years, each magnitude alike.
    private static TimeSpan Span(Random random) => TimeSpan.FromMilliseconds(Math.Pow(10, random.NextDouble() * 10.9));
}
