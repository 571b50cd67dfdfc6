using KeepAlive.Core;

namespace KeepAlive.Paths.Simulation;

/// <summary>The spells of a <see cref="Recurrence"/>, one after another, made up as time gets there.</summary>
internal struct Spells
{
    private Instant _begins;
    private Instant _ends;

    /// <summary>None yet; never any without a recurrence.</summary>
    public static Spells From(Recurrence? recurrence, Instant now, ref SplitMix64 random)
    {
        if (recurrence is null) return new Spells { _begins = Instant.Never, _ends = Instant.Never };
        Instant begins = now + random.NextGap(recurrence.Every);
        return new Spells { _begins = begins, _ends = begins + recurrence.For };
    }

    /// <summary>Whether it is one of them at <paramref name="now"/>, which only moves on.</summary>
    public bool Covers(Instant now, Recurrence? recurrence, ref SplitMix64 random)
    {
        while (now >= _ends)
        {
            _begins = _ends + random.NextGap(recurrence!.Every);
            _ends = _begins + recurrence.For;
        }

        return now >= _begins;
    }

    /// <summary>When the present one ends, or the next.</summary>
    public readonly Instant Ends => _ends;
}
