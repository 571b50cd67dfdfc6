using System.Globalization;
using System.Text.Json;
using KeepAlive.App.Events;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Linux.Processes;

namespace KeepAlive.App.Up;

/// <summary>
/// A small file that is there while this process lives, and gone when it has ended in order: from one that was left the next
/// start knows that the last end was none of ours, when that was, and how many flows it cut off.
/// </summary>
internal sealed class LifeRecord(ControlPlace place, DaemonEvents events) : IDisposable
{
    private const long BytesMax = 1 << 20;

    // Seldom enough for a disk that wears out; nothing is forced onto it, as what is killed is the process.
    private static readonly TimeSpan ChangedPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UnchangedPeriod = TimeSpan.FromSeconds(10);

    private readonly string? _path = place.StateOf(Environment.ProcessId);
    private Instant? _written;
    private string _last = "";
    private bool _isFailing;

    /// <summary>Tells of processes that were killed, once each.</summary>
    public void TellLost()
    {
        foreach (string path in Tried(() => place.States.Order().ToArray()) ?? [])
        {
            if (path == _path || Tried(() => new FileInfo(path).Length > BytesMax ? null : File.ReadAllText(path)) is not { } text) continue;
            if (Lost(text) is not { } lost) continue;
            events.Tell("lost", null, lost);
            Tried(() => File.Delete(path));
        }
    }

    /// <summary>Writes how it stands, if it is time to.</summary>
    public void Write(RunningGateways gateways)
    {
        if (_path is null) return;
        Instant now = MonotonicClock.Now;
        IReadOnlyList<(string Name, int Flows)> flows = gateways.FlowsByName;
        string state = string.Join(',', flows);
        if (_written is { } written && now - written < (state == _last ? UnchangedPeriod : ChangedPeriod)) return;
        (_written, _last) = (now, state);
        try
        {
            place.Make();
            // A fresh file, never what somebody else has put there.
            File.Delete(_path + ".new");
            using (var writer = new StreamWriter(_path + ".new", new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write })) writer.Write(Json(flows));
            File.Move(_path + ".new", _path, overwrite: true);
            _isFailing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_isFailing) events.Tell("notice", null, $"{_path}: {e.Message}: if this process is killed, the next will not know what was lost");
            _isFailing = true;
        }
    }

    /// <summary>It ends in order.</summary>
    public void Dispose()
    {
        if (_path is not null) Tried(() => File.Delete(_path));
    }

    private static string Json(IReadOnlyList<(string Name, int Flows)> flows) => EventText.JsonLine(writer =>
    {
        writer.WriteNumber("pid", Environment.ProcessId);
        writer.WriteString("process", ProcessIdentity.Of(Environment.ProcessId));
        writer.WriteString("at", DateTimeOffset.UtcNow);
        writer.WriteStartArray("gateways");
        foreach ((string name, int count) in flows)
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteNumber("flows", count);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    // Null for one that lives.
    private static string? Lost(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            int pid = root.GetProperty("pid").GetInt32();
            if (ProcessIdentity.Of(pid) is { } now && now == root.GetProperty("process").GetString()) return null;
            (string Name, int Flows)[] gateways = [.. root.GetProperty("gateways").EnumerateArray().Select(g => (g.GetProperty("name").GetString() ?? "", g.GetProperty("flows").GetInt32()))];
            string open = string.Join(", ", gateways.Where(g => g.Flows > 0).Select(g => $"{g.Name} {g.Flows}"));
            string at = root.GetProperty("at").GetDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
            return string.Create(CultureInfo.InvariantCulture, $"pid {pid} was killed, or the machine stopped: last alive at {at}, with {gateways.Sum(g => g.Flows)} flow(s) open{(open.Length > 0 ? $" ({open})" : "")}; all of them were cut off");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return "the last process did not end in order, and what it wrote of itself cannot be read: how many flows were cut off is not known";
        }
    }

    private static T? Tried<T>(Func<T?> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default; // another's, or gone: nothing depends on it
        }
    }

    private static void Tried(Action act) => _ = Tried<object>(() =>
    {
        act();
        return null;
    });
}
