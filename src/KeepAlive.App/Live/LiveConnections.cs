using KeepAlive.App.Connections;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;

namespace KeepAlive.App.Live;

/// <summary>The machine's connections: read once for all who look, and only while somebody does.</summary>
internal sealed class LiveConnections
{
    /// <summary>How often, while somebody listens.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    // Reading walks over all processes: who asks again within this gets the same.
    private const long FreshMs = 500;

    // The kernel's clock ticks, and it tells of times in whole milliseconds.
    private const double SameMs = 100;

    private static readonly ConnectionScope Scope = new() { AllNamespaces = Environment.IsPrivilegedProcess };

    private readonly Lock _reading = new();
    private readonly Lock _lock = new();
    private readonly Tombstones<ulong> _gone = new();
    private Dictionary<ulong, Row> _rows = [];
    private long _count = 1;
    private long _readAt;

    private sealed record Row(Judged Judged, long Changed, long ReadAt);

    /// <summary>Why they cannot be read; null where they can.</summary>
    public string? Fault { get; private set; } = OperatingSystem.IsLinux() ? null : "Linux only: other systems do not show the keepalive of a socket that is not one's own";

    /// <summary>Where the real options came from, and what could not be seen.</summary>
    public ConnectionList? List { get; private set; }

    /// <summary>Reads them, unless somebody has a moment ago.</summary>
    public void Refresh()
    {
        if (!OperatingSystem.IsLinux()) return;
        lock (_reading)
        {
            if (LiveState.Now - _readAt < FreshMs) return;
            try
            {
                ConnectionList list = ConnectionReader.Read(Scope);
                MeasuredPaths paths = Measured();
                Judged[] rows = [.. list.Connections.Select(paths.Judge)];
                lock (_lock) Take(rows, list, LiveState.Now);
            }
            catch (SyscallException e)
            {
                Fault = e.Message;
            }
        }
    }

    /// <summary>What has changed since a count; all where that is 0.</summary>
    public ConnectionChanges Read(long from)
    {
        lock (_lock)
        {
            bool isWhole = from == 0 || from < _gone.Since;
            long had = isWhole ? 0 : from;
            return new ConnectionChanges([.. _rows.Values.Where(r => r.Changed > had).Select(r => r.Judged)], isWhole ? [] : [.. _gone.After(had)], isWhole, _readAt, _count);
        }
    }

    // What is wrong with the file is told where paths are.
    private static MeasuredPaths Measured()
    {
        try
        {
            return new MeasuredPaths(PathStore.Default.Read());
        }
        catch (MachineException)
        {
            return new MeasuredPaths([]);
        }
    }

    private void Take(Judged[] read, ConnectionList list, long now)
    {
        _count++;
        var rows = new Dictionary<ulong, Row>(read.Length);
        foreach (Judged judged in read)
        {
            ulong id = judged.Connection.Socket.Cookie;
            rows[id] = _rows.TryGetValue(id, out Row? known) && IsSame(known, judged, now) ? known : new Row(judged, _count, now);
        }

        foreach (ulong id in _rows.Keys)
            if (!rows.ContainsKey(id)) _gone.Add(_count, id);
        (_rows, List, Fault, _readAt) = (rows, list, null, now);
    }

    // Whoever was told the one can reckon the other.
    private static bool IsSame(Row known, Judged judged, long now)
    {
        double passed = now - known.ReadAt;
        SocketRow before = known.Judged.Connection.Socket, after = judged.Connection.Socket;
        return known.Judged.Verdict == judged.Verdict && before.State == after.State && before.Timer == after.Timer && before.Unanswered == after.Unanswered
            && before.Unacknowledged == after.Unacknowledged && known.Judged.Connection.Options == judged.Connection.Options
            && known.Judged.Connection.Owners.SequenceEqual(judged.Connection.Owners)
            && IsReckoned(before.SinceSent, after.SinceSent, passed) && IsReckoned(before.SinceReceived, after.SinceReceived, passed) && IsReckoned(before.SinceAck, after.SinceAck, passed)
            && (after.Timer == TcpTimer.None || IsReckoned(before.TimerLeft, after.TimerLeft, -passed));
    }

    private static bool IsReckoned(TimeSpan before, TimeSpan after, double passed) => Math.Abs(after.TotalMilliseconds - before.TotalMilliseconds - passed) < SameMs;
}

/// <summary>What is new of the connections.</summary>
/// <param name="Changed">Those that cannot be reckoned from what was told of them; all, where <paramref name="IsWhole"/>.</param>
/// <param name="Gone">By their cookies.</param>
/// <param name="IsWhole">What the caller had is worth nothing.</param>
/// <param name="ReadAt">When they were read, Unix milliseconds: times are as of then.</param>
/// <param name="Count">What the caller has then.</param>
internal sealed record ConnectionChanges(IReadOnlyList<Judged> Changed, ulong[] Gone, bool IsWhole, long ReadAt, long Count);
