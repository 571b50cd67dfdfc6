using System.Diagnostics.Metrics;

namespace KeepAlive.App.Metrics;

/// <summary>Keeps the values of our instruments and the runtime's, for whoever asks.</summary>
internal sealed class MetricReader : IDisposable
{
    /// <summary>Attributes come from the configuration, which may be reloaded for years: more lines than this are not kept.</summary>
    public const int SeriesMax = 20_000;

    /// <summary>What .NET tells of itself: memory, collections, threads.</summary>
    public const string RuntimeMeter = "System.Runtime";

    private readonly Lock _reading = new();
    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private readonly Dictionary<(Instrument, string), Series> _series = [];

    public MetricReader()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name is DaemonMeter.Name or RuntimeMeter) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Tell(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Tell(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Tell(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Asks for what is only read when wanted, and gives everything, instrument by instrument.</summary>
    /// <param name="show">Nothing changes meanwhile: it must be quick.</param>
    public void Read(Action<IEnumerable<IGrouping<Instrument, Series>>> show)
    {
        lock (_reading)
        {
            lock (_lock)
            {
                // What is not said any more is not so any more.
                foreach (var key in _series.Keys.Where(k => k.Item1.IsObservable).ToArray()) _series.Remove(key);
            }

            _listener.RecordObservableInstruments(); // they take locks of their own
            lock (_lock) show(_series.Values.GroupBy(s => s.Instrument).OrderBy(g => g.Key.Name, StringComparer.Ordinal));
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Tell(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        KeyValuePair<string, string>[] attributes = Series.Sorted(tags);
        string key = string.Join('\u0001', attributes.Select(a => $"{a.Key}\u0002{a.Value}"));
        lock (_lock)
        {
            if (!_series.TryGetValue((instrument, key), out Series? series))
            {
                if (_series.Count >= SeriesMax) return;
                _series[(instrument, key)] = series = Series.Of(instrument, attributes);
            }

            if (instrument.IsObservable) series.Set(value);
            else series.Add(value);
        }
    }
}
