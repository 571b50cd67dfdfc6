using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Paths.Measure;
using KeepAlive.Paths.Reflect;
using KeepAlive.Sockets;

namespace KeepAlive.App.Live;

/// <summary>How much is told of a measurement.</summary>
internal enum MeasurementDetail
{
    Result,
    Lanes,
}

/// <summary>A measurement that runs, or has ended.</summary>
internal sealed class LiveMeasurement : IDisposable
{
    private readonly HostPort _to;
    private readonly TimeSpan _max;
    private readonly Func<PathStore> _store;
    private readonly Action _changed;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private LaneView[] _lanes = [];
    private (TimeSpan Low, TimeSpan? High) _known;
    private PathRecord? _record;
    private string _state = "running";
    private string _text = "connecting";

    private readonly record struct LaneView(int Number, LaneKind Kind, TimeSpan Silence, LaneStage Stage, Instant Since, LaneEnd End, TimeSpan Age);

    public LiveMeasurement(int id, HostPort to, TimeSpan max, byte[] token, Func<PathStore> store, Action changed)
    {
        (Id, _to, _max, _store, _changed) = (id, to, max, store, changed);
        Ended = Task.Run(() => RunAsync(token));
    }

    public int Id { get; }

    /// <summary>Done when it is over.</summary>
    public Task Ended { get; }

    public long StartedAt { get; } = LiveState.Now;

    public bool IsRunning
    {
        get
        {
            lock (_lock) return _state == "running";
        }
    }

    public void Stop() => _stop.Cancel();

    /// <summary>Once it has ended.</summary>
    public void Dispose() => _stop.Dispose();

    /// <summary>Members of an object.</summary>
    public void WriteTo(Utf8JsonWriter writer, MeasurementDetail detail)
    {
        lock (_lock)
        {
            writer.WriteNumber("id", Id);
            writer.WriteString("to", _to.ToString());
            writer.WriteNumber("startedAt", StartedAt);
            writer.WriteString("state", _state);
            writer.WriteNumber("maxMs", _max.TotalMilliseconds);
            writer.WriteNumber("lowMs", _known.Low.TotalMilliseconds);
            if (_known.High is { } high) writer.WriteNumber("highMs", high.TotalMilliseconds);
            else writer.WriteNull("highMs");
            writer.WriteString("text", _text);
            if (_record is not null) Write(writer, _record.Finding);
            if (detail == MeasurementDetail.Result) return;
            writer.WriteStartArray("lanes");
            foreach (LaneView lane in _lanes) Write(writer, lane);
            writer.WriteEndArray();
        }
    }

    private async Task RunAsync(byte[] token)
    {
        try
        {
            using Socket control = await new Dialer().DialAsync(_to, _stop.Token).ConfigureAwait(false);
            string local = $"{((IPEndPoint)control.LocalEndPoint!).Address}";
            var remote = (IPEndPoint)control.RemoteEndPoint!;
            PathFinding found = await new Measurer(new MeasureOptions { Max = _max }, token, Show).RunAsync(control, _stop.Token).ConfigureAwait(false);
            if (found is { High: null, Low.Ticks: 0 })
            {
                End("failed", $"{found.Failed} of {found.Failed + found.Connections} connections could not be made, so that nothing can be said: does something on the way limit connections?", null);
                return;
            }

            var record = new PathRecord($"{_to}", remote, local, DateTimeOffset.UtcNow, found);
            _store().Save(record);
            End("done", MeasureReport.ToText(found).Split('\n')[0], record);
        }
        catch (OperationCanceledException)
        {
            End("stopped", "stopped before anything was sure", null);
        }
        catch (Exception e) when (e is PathProtocolException or DialException or MachineException)
        {
            End("failed", e.Message, null);
        }
        catch (SocketException e)
        {
            End("failed", $"the connection to the reflector failed: {e.SocketErrorCode}", null);
        }
    }

    // By the task that measures: what it has is read here and nowhere else.
    private void Show(Measurement measurement)
    {
        LaneView[] lanes = [.. measurement.Lanes.Where(l => l.Stage != LaneStage.Void).Select(l => new LaneView(l.Number, l.Kind, l.Silence, l.Stage, l.Since, l.End, l.Age))];
        lock (_lock)
        {
            if (_lanes.AsSpan().SequenceEqual(lanes) && _known == measurement.Known) return;
            (_lanes, _known, _text) = (lanes, measurement.Known, "");
        }

        _changed();
    }

    private void End(string state, string text, PathRecord? record)
    {
        lock (_lock)
        {
            (_state, _text, _record) = (state, text, record);
            if (record is not null) _known = (record.Finding.Low, record.Finding.High);
        }

        _changed();
    }

    private static void Write(Utf8JsonWriter writer, LaneView lane)
    {
        writer.WriteStartObject();
        writer.WriteNumber("n", lane.Number);
        writer.WriteString("kind", JsonNamingPolicy.CamelCase.ConvertName(lane.Kind.ToString()));
        writer.WriteNumber("idleMs", lane.Silence.TotalMilliseconds);
        if (lane.Since.Ticks != 0) writer.WriteNumber("openedAt", LiveFlowJson.Moment(lane.Since));
        writer.WriteString("state", lane.Stage.ToString().ToLowerInvariant());
        writer.WriteString("text", Text(lane));
        writer.WriteEndObject();
    }

    private static string Text(LaneView lane) => lane.Stage switch
    {
        LaneStage.Lived => "lived",
        LaneStage.Lost => "lost",
        LaneStage.Ended => $"{(lane.End == LaneEnd.Close ? "closed" : lane.End == LaneEnd.Reset ? "reset" : "given up")} after {Duration.Format(TimeSpan.FromMilliseconds(Math.Round(lane.Age.TotalMilliseconds)))}",
        LaneStage.Due => "asked",
        LaneStage.Opening => "connecting",
        LaneStage.Waiting => "waiting",
        _ => "silent",
    };

    private static void Write(Utf8JsonWriter writer, PathFinding found)
    {
        writer.WriteStartObject("result");
        writer.WriteNumber("timeoutMs", found.Low.TotalMilliseconds);
        if (found.High is { } high) writer.WriteNumber("boundMs", high.TotalMilliseconds);
        writer.WriteString("fails", PathRecord.NameOf(found.Expiry));
        writer.WriteString("advice", (found.KeepAlivePolicy() ?? found.ProbePolicy())?.ToString());
        writer.WriteNumber("connections", found.Connections);
        writer.WriteNumber("tookMs", Math.Round(found.Took.TotalMilliseconds));
        writer.WriteNumber("roundTripMs", Math.Round(found.RoundTrip.TotalMilliseconds, 3));
        writer.WriteEndObject();
    }
}
