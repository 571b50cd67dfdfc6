using System.Diagnostics.Metrics;
using System.Globalization;

namespace KeepAlive.App.Metrics;

/// <summary>One line of an instrument: its values under one set of attributes.</summary>
internal sealed class Series
{
    private readonly double[] _bounds;
    private readonly long[] _buckets;

    private Series(Instrument instrument, KeyValuePair<string, string>[] attributes, double[] bounds) =>
        (Instrument, Attributes, _bounds, _buckets) = (instrument, attributes, bounds, new long[bounds.Length]);

    public Instrument Instrument { get; }

    /// <summary>In the order of their names; those without a value are not there.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Attributes { get; }

    /// <summary>The sum of a counter or a histogram, the last value of a gauge.</summary>
    public double Value { get; private set; }

    /// <summary>Of a histogram, how many values there were.</summary>
    public long Count { get; private set; }

    /// <summary>Of a histogram, how many values were not above each bound.</summary>
    public IEnumerable<(double Bound, long Count)> Buckets
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _bounds.Length; i++) yield return (_bounds[i], sum += _buckets[i]);
        }
    }

    public static Series Of(Instrument instrument, KeyValuePair<string, string>[] attributes) =>
        new(instrument, attributes, instrument is Histogram<double> histogram ? [.. histogram.Advice?.HistogramBucketBoundaries ?? []] : []);

    /// <summary>What tells it from the others of its instrument, in the order of names.</summary>
    public static KeyValuePair<string, string>[] Sorted(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var attributes = new List<KeyValuePair<string, string>>(tags.Length);
        foreach ((string name, object? value) in tags)
            if (value is not null) attributes.Add(new(name, Convert.ToString(value, CultureInfo.InvariantCulture)!));
        attributes.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return [.. attributes];
    }

    public void Add(double value)
    {
        Value += value;
        Count++;
        int bucket = Array.FindIndex(_bounds, bound => value <= bound);
        if (bucket >= 0) _buckets[bucket]++;
    }

    public void Set(double value) => Value = value;
}
