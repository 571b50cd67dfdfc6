using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Live;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>
/// What machines know of paths, shared: what is measured here is told to the others, what they measured of paths that begin in a network of
/// this machine is kept here, and what the policy wants measured is measured by one of them.
/// </summary>
/// <param name="live">Measures, and knows where what is known is kept.</param>
/// <param name="events">Told.</param>
internal sealed class FleetPaths(LiveState live, DaemonEvents events)
{
    // As many as the store keeps.
    private const int KnownMax = 1000;
    private static readonly TimeSpan FreshFor = TimeSpan.FromDays(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MeasureEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SilenceMax = TimeSpan.FromDays(7);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _known = []; // by path, when what stands in etcd was measured
    private readonly HashSet<string> _said = [];
    private IReadOnlyList<MeasureTarget> _targets = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTime _readAt;

    /// <summary>What the policy wants measured, from now on.</summary>
    public void Use(IReadOnlyList<MeasureTarget> targets)
    {
        lock (_lock)
        {
            _targets = targets;
            _changed.TrySetResult();
        }
    }

    /// <summary>Somebody has measured a path.</summary>
    /// <param name="key">Which.</param>
    /// <param name="value">A book of one record; or whatever somebody wrote there.</param>
    public void Learn(string key, byte[] value)
    {
        if (RecordOf(key, value) is not { } record) return;
        lock (_lock)
        {
            if (_known.Count >= KnownMax && !_known.ContainsKey(key)) return;
            if (_known.TryGetValue(key, out DateTimeOffset had) && had >= record.MeasuredAt) return;
            _known[key] = record.MeasuredAt;
        }

        if (!PathKey.IsFromHere(key)) return;
        try
        {
            PathStore store = live.Config.InForce.Paths;
            if (store.Read().Any(r => KeyOf(r) == key && r.MeasuredAt >= record.MeasuredAt)) return;
            store.Save(record);
            events.Tell("fleet", null, $"path {key}: measured by {record.Local}, kept here too: {MeasureReport.ToText(record.Finding).Split('\n')[0]}");
        }
        catch (MachineException e)
        {
            events.Tell("notice", null, e.Message);
        }
    }

    /// <summary>Tells the others what was measured here since the last look; and measures what is wanted.</summary>
    public async Task RunAsync(FleetMember member, CancellationToken stop)
    {
        long measured = 0;
        while (!stop.IsCancellationRequested)
        {
            Task changed;
            lock (_lock) changed = _changed.Task;
            await Task.WhenAny(changed, Task.Delay(LookEvery, stop)).ConfigureAwait(false);
            if (stop.IsCancellationRequested || !member.IsJoined) continue;
            try
            {
                await ShareAsync(member, stop).ConfigureAwait(false);
                if (!changed.IsCompleted && measured != 0 && TimeProvider.System.GetElapsedTime(measured) < MeasureEvery) continue;
                measured = TimeProvider.System.GetTimestamp();
                IReadOnlyList<MeasureTarget> targets;
                lock (_lock) (targets, _changed) = (_targets, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                foreach (MeasureTarget target in targets) await MeasureAsync(member, target, stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is EtcdException or OperationCanceledException or MachineException)
            {
                // The membership tells that etcd is away; what is wrong with the store is told by whoever saves.
                lock (_lock) _readAt = default;
            }
        }
    }

    private async Task ShareAsync(FleetMember member, CancellationToken stop)
    {
        PathStore store = live.Config.InForce.Paths;
        DateTime written = File.GetLastWriteTimeUtc(store.Path);
        if (written == _readAt) return;
        _readAt = written;
        foreach (PathRecord record in store.Read().Where(r => DateTimeOffset.UtcNow - r.MeasuredAt < FreshFor)) await ShareAsync(member, record, stop).ConfigureAwait(false);
    }

    private async Task ShareAsync(FleetMember member, PathRecord record, CancellationToken stop)
    {
        if (KeyOf(record) is not { } key) return;
        lock (_lock)
        {
            if (_known.TryGetValue(key, out DateTimeOffset had) ? had >= record.MeasuredAt : _known.Count >= KnownMax) return;
        }

        await member.ShareAsync(key, Encoding.UTF8.GetBytes(PathJson.ToText(new PathBook([record], []))), stop).ConfigureAwait(false);
        lock (_lock) _known[key] = record.MeasuredAt;
    }

    private async Task MeasureAsync(FleetMember member, MeasureTarget target, CancellationToken stop)
    {
        if (await KeyOfAsync(target, stop).ConfigureAwait(false) is not { } key || IsFresh(key, target)) return;
        if (!await member.TryClaimAsync(key, stop).ConfigureAwait(false)) return;
        try
        {
            // Whoever had it before may have told it a moment ago.
            if (await member.PathAsync(key, stop).ConfigureAwait(false) is { } told) Learn(key, told);
            if (IsFresh(key, target)) return;
            // The secret is the machine's own: a policy that named files would be read whatever it names.
            _ = TokenFile.TryRead(null, out byte[] token, out _);
            if (live.Measurements.Start(target.To, target.Max, token) is not { } measurement) return; // others were asked for here: the next look tries again
            events.Tell("fleet", null, $"path {key}: nobody has measured it in the last {Duration.Format(target.Every)}: measuring to {target.To}");
            await using (stop.Register(measurement.Stop).ConfigureAwait(false)) await measurement.Ended.ConfigureAwait(false);
            _readAt = default;
            await ShareAsync(member, stop).ConfigureAwait(false); // before the claim is gone
        }
        finally
        {
            await member.ReleaseAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private bool IsFresh(string key, MeasureTarget target)
    {
        lock (_lock) return _known.TryGetValue(key, out DateTimeOffset at) && DateTimeOffset.UtcNow - at < target.Every;
    }

    private async Task<string?> KeyOfAsync(MeasureTarget target, CancellationToken stop)
    {
        try
        {
            IPAddress[] addresses = target.To.Address is { } address ? [address] : await Dns.GetHostAddressesAsync(target.To.Host, stop).ConfigureAwait(false);
            return addresses.Select(a => PathKey.FromHere(new IPEndPoint(a, target.To.Port))).OfType<string>().FirstOrDefault();
        }
        catch (SocketException e)
        {
            Say($"{target.To}: {e.Message}: it is not measured");
            return null;
        }
    }

    private PathRecord? RecordOf(string key, byte[] value)
    {
        string fault = "it is of another path";
        if (PathJson.TryRead(Encoding.UTF8.GetString(value), out PathBook? book, out string? why))
        {
            if (book.Measured is [var record] && KeyOf(record) == key && record.Finding.Low >= TimeSpan.Zero && record.Finding.Low <= SilenceMax && (record.Finding.High ?? record.Finding.Low) >= record.Finding.Low
                && record.MeasuredAt < DateTimeOffset.UtcNow.AddDays(1) && record.Target.Length < 300) return record;
        }
        else
        {
            fault = why;
        }

        Say($"etcd's path {key} is none ({fault}): nothing is learned of it");
        return null;
    }

    private static string? KeyOf(PathRecord record) => IPAddress.TryParse(record.Local, out IPAddress? local) ? PathKey.Of(local, record.Remote.Address) : null;

    // Once each: it would be told at every look.
    private void Say(string text)
    {
        lock (_lock)
        {
            if (_said.Count >= KnownMax || !_said.Add(text)) return;
        }

        events.Tell("fleet", null, text);
    }
}
