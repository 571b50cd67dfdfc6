using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using KeepAlive.Core;
using KeepAlive.Paths.Reflect;

namespace KeepAlive.Paths.Measure;

/// <summary>Measures a path with the help of a <see cref="PathReflector"/> at its far end.</summary>
/// <remarks>
/// <code>
/// OpenLane, one a connection ─┐ facts, with the time they happened at      ┌─▶ OpenLane
/// ReflectorLink, control ─────┴─▶ one loop ─▶ Measurement ─▶ effects ──────┴─▶ ReflectorLink ─▶ the server's lanes
/// </code>
/// </remarks>
internal sealed class Measurer
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(200);
    private const int RoundTripsFirst = 3;

    private readonly MeasureOptions _options;
    private readonly ReadOnlyMemory<byte> _token;
    private readonly Action<Measurement> _onProgress;
    private readonly Channel<Action<Measurement>> _facts = Channel.CreateUnbounded<Action<Measurement>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<int, OpenLane> _lanes = [];
    private readonly List<Task> _running = [];

    /// <summary>A measurer, for one measurement.</summary>
    /// <param name="options">How far and how fine.</param>
    /// <param name="token">The reflector's secret; empty for none.</param>
    /// <param name="onProgress">Told how it stands, five times a second, by the task that measures.</param>
    public Measurer(MeasureOptions options, ReadOnlyMemory<byte> token, Action<Measurement> onProgress)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onProgress);
        (_options, _token, _onProgress) = (options, token, onProgress);
    }

    /// <summary>Measures.</summary>
    /// <param name="control">Connected to the reflector; the measurement's from now on.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>What was found.</returns>
    /// <exception cref="PathProtocolException">No reflector is there, it refuses, or it went away; the message says what to do.</exception>
    /// <exception cref="SocketException">The control connection failed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<PathFinding> RunAsync(Socket control, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(control);
        var reflector = (IPEndPoint)control.RemoteEndPoint!;
        using ReflectorLink link = await ReflectorLink.OpenAsync(control, _token, stop).ConfigureAwait(false);
        Check(link.Allowed);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        TimeSpan roundTrip = TimeSpan.Zero;
        for (int i = 0; i < RoundTripsFirst; i++) roundTrip = await link.RoundTripAsync(end.Token).ConfigureAwait(false) is var took && took > roundTrip ? took : roundTrip;
        var measurement = new Measurement(_options, PathClock.Now);
        measurement.OnRoundTrip(roundTrip);
        Task linked = WatchAsync(link, end.Token);
        try
        {
            while (true)
            {
                while (measurement.TryTakeEffect(out MeasureEffect effect)) await PerformAsync(effect, link, reflector, end.Token).ConfigureAwait(false);
                if (measurement.Finding is { } finding)
                {
                    // A reflector that goes away ends all lanes at about one age, as some middleboxes do.
                    await (await Task.WhenAny(link.ConfirmAsync(end.Token), linked).ConfigureAwait(false)).ConfigureAwait(false);
                    return finding;
                }

                await WaitAsync(measurement, linked, stop).ConfigureAwait(false);
            }
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            foreach (OpenLane lane in _lanes.Values) lane.Drop();
            await Task.WhenAll([linked, .. _running]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Check((int Lanes, TimeSpan Silence) allowed)
    {
        if (allowed.Lanes < MeasureOptions.ConnectionsMax) throw new PathProtocolException($"the reflector allows {allowed.Lanes} connections, and {MeasureOptions.ConnectionsMax} may be needed: start it with --max-lanes {MeasureOptions.ConnectionsMax} or more");
        TimeSpan needed = _options.Max * 2.2;
        if (allowed.Silence < needed) throw new PathProtocolException($"the reflector lets a client stay for {Duration.Format(allowed.Silence)}, and --max {Duration.Format(_options.Max)} may take {Duration.Format(TimeSpan.FromSeconds(Math.Ceiling(needed.TotalSeconds)))}: start it with a greater --max-time, or measure with a shorter --max");
    }

    private async Task WaitAsync(Measurement measurement, Task linked, CancellationToken stop)
    {
        TimeSpan wait = measurement.Deadline == Instant.Never ? ProgressEvery : measurement.Deadline - PathClock.Now;
        if (wait > ProgressEvery) wait = ProgressEvery;
        if (wait > TimeSpan.Zero)
        {
            Task<bool> fact = _facts.Reader.WaitToReadAsync(stop).AsTask();
            // A millisecond late rather than early: timers round down.
            await Task.WhenAny(fact, linked, Task.Delay(wait + TimeSpan.FromMilliseconds(1), stop)).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
        }

        if (linked.IsCompleted) await linked.ConfigureAwait(false);
        while (_facts.Reader.TryRead(out Action<Measurement>? fact)) fact(measurement);
        measurement.OnDeadline(PathClock.Now);
        _onProgress(measurement);
    }

    private async Task PerformAsync(MeasureEffect effect, ReflectorLink link, IPEndPoint reflector, CancellationToken stop)
    {
        Lane lane = effect.Lane;
        switch (effect.Action)
        {
            case LaneAction.Open:
                var open = new OpenLane(lane, fact => _facts.Writer.TryWrite(fact));
                _lanes.Add(lane.Number, open);
                _running.Add(Task.Run(() => open.RunAsync(reflector, link.Session, stop), CancellationToken.None));
                break;
            case LaneAction.Say:
                await _lanes[lane.Number].SayAsync(stop).ConfigureAwait(false);
                break;
            case LaneAction.Speak:
                await link.OrderAsync("SPEAK", lane, stop).ConfigureAwait(false);
                break;
            case LaneAction.AskState:
                await link.OrderAsync("STATE", lane, stop).ConfigureAwait(false);
                break;
            default:
                if (_lanes.Remove(lane.Number, out OpenLane? gone)) gone.Drop();
                await link.OrderAsync("DROP", lane, stop).ConfigureAwait(false);
                break;
        }
    }

    // Ends only by throwing.
    private async Task WatchAsync(ReflectorLink link, CancellationToken stop)
    {
        Task pinging = link.PingAsync(stop);
        Task reading = link.ReadAsync(
            took => _facts.Writer.TryWrite(m => m.OnRoundTrip(took)),
            (number, state) => Tell(number, m => m.OnState(number, state with { IsAnswered = _lanes.GetValueOrDefault(number)?.IsAnswered }, PathClock.Now)),
            (number, how, silence) => Tell(number, m => m.OnEnded(number, how, silence, PathClock.Now)),
            stop);
        await (await Task.WhenAny(pinging, reading).ConfigureAwait(false)).ConfigureAwait(false);
    }

    // Numbers that the reflector made up are nobody's.
    private void Tell(int number, Action<Measurement> fact) => _facts.Writer.TryWrite(m =>
    {
        if (number < m.Lanes.Count) fact(m);
    });
}
