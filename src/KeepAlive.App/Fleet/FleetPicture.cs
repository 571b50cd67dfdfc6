using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>
/// The fleet as it was read last, for the page. It is read while somebody asks, no more often than the machines tell of themselves, one read at a
/// time whoever asks; while etcd is away the last one stands, and says so.
/// </summary>
/// <param name="read">Reads it.</param>
/// <param name="time">The clock.</param>
internal sealed class FleetPicture(Func<CancellationToken, Task<FleetSight>> read, TimeProvider time)
{
    private static readonly TimeSpan ReadMax = TimeSpan.FromSeconds(30);

    // Who asks is a page that asks again: a slow etcd must not hold it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private FleetSeen _last = new(null, default, null);
    private Task _reading = Task.CompletedTask;
    private long? _readAt;

    /// <summary>As it is, or was.</summary>
    public async Task<FleetSeen> ReadAsync(CancellationToken cancel)
    {
        Task reading;
        lock (_lock)
        {
            if (_reading.IsCompleted && (_readAt is not { } at || time.GetElapsedTime(at) >= Every))
            {
                _readAt = time.GetTimestamp();
                _reading = Task.Run(ReadOnceAsync, CancellationToken.None);
            }

            reading = _reading;
        }

        await Task.WhenAny(reading, Task.Delay(Patience, time, cancel)).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        lock (_lock) return reading.IsCompleted || _last.Note is not null ? _last : _last with { Note = "etcd is slow to answer" };
    }

    private TimeSpan Every => new FleetPace(_last.Sight?.Machines.Count ?? 0).DigestEvery;

    private async Task ReadOnceAsync()
    {
        using var limit = new CancellationTokenSource(ReadMax, time);
        FleetSeen? seen = null;
        string? why = null;
        try
        {
            seen = new FleetSeen(await read(limit.Token).ConfigureAwait(false), time.GetUtcNow(), null);
        }
        catch (Exception e) when (e is EtcdException or FleetException)
        {
            why = Texts.Printable(e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            why = "etcd does not answer";
        }

        lock (_lock) _last = seen ?? _last with { Note = why };
    }
}

/// <summary>The fleet as it was read last.</summary>
/// <param name="Sight">Null before anything was read.</param>
/// <param name="At">When that was, UTC.</param>
/// <param name="Note">Why it could not be read since; null when it is fresh.</param>
internal sealed record FleetSeen(FleetSight? Sight, DateTimeOffset At, string? Note);
