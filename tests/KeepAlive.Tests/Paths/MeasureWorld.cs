using KeepAlive.Core;
using KeepAlive.Paths.Measure;

namespace KeepAlive.Tests.Paths;

/// <summary>What a middlebox of the simulation does.</summary>
internal sealed record SimulatedPath
{
    /// <summary>Silence after which a binding is forgotten; null for never.</summary>
    public TimeSpan? Timeout { get; init; }

    public Expiry Expiry { get; init; } = Expiry.Silent;

    /// <summary>Whether bytes of the client's make a new binding.</summary>
    public bool IsLoose { get; init; }

    /// <summary>What refreshes: a segment of a kind towards the server or the client.</summary>
    public bool KeepAliveRefreshes { get; init; } = true;

    public bool ClientBytesRefresh { get; init; } = true;

    public bool ServerBytesRefresh { get; init; } = true;

    /// <summary>Answers keepalive itself.</summary>
    public bool IsProxy { get; init; }

    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The part of the server's words that come late, by a retransmission; and of those that never come.</summary>
    public double Late { get; init; }

    public double Lost { get; init; }
}

/// <summary>Runs a <see cref="Measurement"/> against a path in virtual time.</summary>
internal sealed class MeasureWorld
{
    private readonly SimulatedPath _path;
    private readonly Random _random;
    private readonly PriorityQueue<Action<Instant>, (long At, int Order)> _events = new();
    private readonly Dictionary<int, Instant> _refreshed = [];
    private readonly HashSet<int> _dropped = [];
    private readonly Measurement _measurement;
    private int _order;
    private Instant _now;

    public MeasureWorld(SimulatedPath path, MeasureOptions options, int seed = 1)
    {
        (_path, _random) = (path, new Random(seed));
        _measurement = new Measurement(options, _now);
        _measurement.OnRoundTrip(path.RoundTrip);
    }

    /// <summary>Connections made at a time and in all.</summary>
    public int Opened { get; private set; }

    /// <summary>The most that were made within any second.</summary>
    public int OpenedASecondMax => _opens.Count == 0 ? 0 : _opens.Max(o => _opens.Count(x => x >= o && x < o + TimeSpan.FromSeconds(1)));

    private readonly List<Instant> _opens = [];

    public PathFinding Run()
    {
        for (int steps = 0; _measurement.Finding is null; steps++)
        {
            Assert.True(steps < 1_000_000, "the measurement does not end");
            while (_measurement.TryTakeEffect(out MeasureEffect effect)) Perform(effect);
            if (_measurement.Finding is not null) break;
            Instant deadline = _measurement.Deadline;
            if (_events.TryPeek(out Action<Instant>? what, out (long At, int Order) due) && due.At <= deadline.Ticks)
            {
                _events.Dequeue();
                _now = new Instant(due.At);
                what(_now);
            }
            else
            {
                Assert.True(deadline != Instant.Never, "the measurement waits for nothing");
                Assert.True(deadline >= _now, "the measurement waits for what is over");
                _now = deadline;
                _measurement.OnDeadline(_now);
            }
        }

        return _measurement.Finding;
    }

    private void Perform(MeasureEffect effect)
    {
        Lane lane = effect.Lane;
        switch (effect.Action)
        {
            case LaneAction.Open:
                Opened++;
                _opens.Add(_now);
                In(_path.RoundTrip * 2, now => Held(lane, now));
                break;
            case LaneAction.Speak:
                In(_path.RoundTrip, now => Spoken(lane, now));
                break;
            case LaneAction.Say:
                if (!IsExpired(lane, _now) || _path.IsLoose) _bytes.Add(lane.Number);
                else if (_path.Expiry == Expiry.ResetOnUse) In(_path.RoundTrip / 2, now => _measurement.OnEnded(lane.Number, LaneEnd.Reset, now - lane.Since, now));
                break;
            case LaneAction.AskState:
                In(_path.RoundTrip, now => State(lane, now));
                break;
            default:
                _dropped.Add(lane.Number);
                break;
        }
    }

    private readonly HashSet<int> _bytes = [];

    private void Held(Lane lane, Instant now)
    {
        _refreshed[lane.Number] = now;
        _measurement.OnHeld(lane.Number, now);
        if (lane.Kind == LaneKind.Silent) In(lane.Silence, at => Spoken(lane, at));
        if (_path.Timeout is { } timeout && _path.Expiry is Expiry.Close or Expiry.Reset && !Refreshes(lane.Kind))
            In(timeout, at => End(lane, at));
    }

    private void End(Lane lane, Instant now)
    {
        if (_dropped.Contains(lane.Number) || lane.IsResolved) return;
        _measurement.OnEnded(lane.Number, _path.Expiry == Expiry.Close ? LaneEnd.Close : LaneEnd.Reset, now - lane.Since, now);
    }

    private void Spoken(Lane lane, Instant now)
    {
        if (_dropped.Contains(lane.Number)) return;
        if (IsExpired(lane, now))
        {
            if (_path.Expiry == Expiry.ResetOnUse) _measurement.OnEnded(lane.Number, LaneEnd.Reset, now - lane.Since, now);
            return;
        }

        double chance = _random.NextDouble();
        if (chance < _path.Lost) return;
        TimeSpan late = chance < _path.Lost + _path.Late ? TimeSpan.FromMilliseconds(200) + _path.RoundTrip : TimeSpan.Zero;
        In(late, at => _measurement.OnSpoken(lane.Number, at));
    }

    private void State(Lane lane, Instant now)
    {
        long probes = lane.Kind == LaneKind.ClientKeepAlive && !_path.IsProxy ? (now - lane.Since).Ticks / MeasureOptions.RefreshEvery.Ticks : 0;
        _measurement.OnState(lane.Number, new LaneState(3 + probes, _bytes.Contains(lane.Number) ? 2 : 0, true), now);
    }

    private bool IsExpired(Lane lane, Instant now) => _path.Timeout is { } timeout && !Refreshes(lane.Kind) && now - _refreshed[lane.Number] > timeout;

    private bool Refreshes(LaneKind kind) => kind switch
    {
        LaneKind.ClientKeepAlive or LaneKind.ServerKeepAlive => _path.KeepAliveRefreshes && !_path.IsProxy,
        LaneKind.ClientBytes => _path.ClientBytesRefresh,
        LaneKind.ServerBytes => _path.ServerBytesRefresh,
        _ => false,
    };

    private void In(TimeSpan time, Action<Instant> what) => _events.Enqueue(what, ((_now + time).Ticks, ++_order));
}
