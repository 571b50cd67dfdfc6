using KeepAlive.App.Events;

namespace KeepAlive.App.Live;

/// <summary>The last events, numbered from 1 on.</summary>
internal sealed class LiveEvents
{
    /// <summary>So many are kept.</summary>
    public const int Max = 1000;

    private readonly Lock _lock = new();
    private readonly ToldEvent[] _ring = new ToldEvent[Max];
    private long _told;

    public void OnTold(ToldEvent told)
    {
        lock (_lock) _ring[(int)(++_told % Max)] = told;
    }

    /// <summary>Those after a number, at most so many: the newest, in their order.</summary>
    /// <param name="after">What the caller has.</param>
    /// <param name="most">How many.</param>
    /// <param name="leftOut">How many older ones there were between.</param>
    /// <param name="last">What the caller has then.</param>
    public ToldEvent[] Read(long after, int most, out long leftOut, out long last)
    {
        lock (_lock)
        {
            last = _told;
            long first = Math.Max(after, last - Math.Min(most, Max)) + 1;
            leftOut = first - after - 1;
            var read = new ToldEvent[last - first + 1];
            for (long number = first; number <= last; number++) read[number - first] = _ring[(int)(number % Max)];
            return read;
        }
    }

    /// <summary>Those of one flow that are still known.</summary>
    public IEnumerable<ToldEvent> Of(long flow) => Read(0, Max, out _, out _).Where(told => told is FlowTold { Event.Flow: var its } && its == flow);
}
