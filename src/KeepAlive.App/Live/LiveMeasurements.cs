using System.Text.Json;
using KeepAlive.App.Events;
using KeepAlive.App.Measure;
using KeepAlive.Sockets;

namespace KeepAlive.App.Live;

/// <summary>Measurements that were asked for on the page: a few at once, and the last ones with what came of them.</summary>
/// <param name="store">Where what is found is kept.</param>
internal sealed class LiveMeasurements(Func<PathStore> store)
{
    /// <summary>At once: each has up to 200 connections.</summary>
    public const int RunningMax = 2;

    private const int KeptMax = 10;

    private readonly Lock _lock = new();
    private readonly List<LiveMeasurement> _all = []; // the newest last
    private long _version;
    private int _lastId;
    private volatile LiveDocument? _last;

    /// <summary>All of them, whenever something about them is other.</summary>
    public LiveDocument Document
    {
        get
        {
            long version = Volatile.Read(ref _version);
            LiveDocument? last = _last;
            if (last is not null && last.Version == version) return last;
            LiveMeasurement[] all = All();
            return _last = new LiveDocument(version, EventText.JsonLine(writer => Write(writer, all)));
        }
    }

    /// <summary>Begins one.</summary>
    /// <returns>Null when so many run already.</returns>
    public LiveMeasurement? Start(HostPort to, TimeSpan max, byte[] token)
    {
        lock (_lock)
        {
            if (_all.Count(m => m.IsRunning) >= RunningMax) return null;
            var measurement = new LiveMeasurement(++_lastId, to, max, token, store, () => Interlocked.Increment(ref _version));
            _all.Add(measurement);
            if (_all.Count > KeptMax && _all.Find(m => !m.IsRunning) is { } oldest) Forget(oldest);
            Interlocked.Increment(ref _version);
            return measurement;
        }
    }

    public LiveMeasurement? Find(int id)
    {
        lock (_lock) return _all.Find(m => m.Id == id);
    }

    /// <summary>Stops it; one that has ended is forgotten.</summary>
    public void Remove(LiveMeasurement measurement)
    {
        if (measurement.IsRunning)
        {
            measurement.Stop();
            return;
        }

        lock (_lock) Forget(measurement);
        Interlocked.Increment(ref _version);
    }

    private LiveMeasurement[] All()
    {
        lock (_lock) return [.. _all];
    }

    private void Forget(LiveMeasurement ended)
    {
        if (_all.Remove(ended)) ended.Dispose();
    }

    // Lanes are many: of those that run, and of the last.
    private static void Write(Utf8JsonWriter writer, LiveMeasurement[] all)
    {
        writer.WriteNumber("now", LiveState.Now);
        writer.WriteStartArray("measurements");
        foreach (LiveMeasurement measurement in all)
        {
            writer.WriteStartObject();
            measurement.WriteTo(writer, measurement.IsRunning || measurement == all[^1] ? MeasurementDetail.Lanes : MeasurementDetail.Result);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
