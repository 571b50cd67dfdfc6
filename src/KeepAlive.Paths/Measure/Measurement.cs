using KeepAlive.Core;

namespace KeepAlive.Paths.Measure;

/// <summary>
/// Finds a path's idle timeout, as a machine without clock or sockets: told what lanes do, it says what is to be done with them.
/// <code>
/// first round    all rungs of a geometric ladder at once, each silent for its own time, then the server speaks:
///                3s lived · 3.15s lived · ... · 6.9s lived · 7.2s lost ─▶ between 6.9 and 7.2
/// second round   the same within the bracket, begun at the first rung that is late; the rungs above go on, and contradict a loss by chance
/// meanwhile      lanes that are refreshed by one means each: those that outlive the timeout show what refreshes
/// then           one lost lane is spoken on by the client: silence, a reset, or is it let through again?
/// </code>
/// For a timeout T it takes about 2.1 T: 1.05 T until a rung is late, T and two steps until the second round has found it.
/// </summary>
internal sealed class Measurement
{
    // A lost segment is sent again after 200 ms and a round trip or more (Linux, TCP_RTO_MIN).
    private static readonly TimeSpan GraceMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GraceMax = TimeSpan.FromSeconds(5);
    private const double GracePart = 0.02;

    // Late enough to begin the second round. Being wrong costs a few connections, so that only short timeouts, where each moment counts,
    // take less time for it than a retransmission does.
    private static readonly TimeSpan SuspicionMin = TimeSpan.FromMilliseconds(50);

    private const int FineSteps = 12;
    private static readonly TimeSpan FineStepMin = TimeSpan.FromMilliseconds(50);

    // This many that were ended at the same age were ended for their age.
    private const int EndedEnough = 3;

    private readonly MeasureOptions _options;
    private readonly Instant _begun;
    private readonly List<Lane> _lanes = [];
    private readonly Queue<Lane> _waiting = new();
    private readonly Queue<MeasureEffect> _effects = new();
    private readonly LossWitness _witness = new();
    private readonly CrossingWitness _crossing = new();
    private Instant _now;
    private Instant _nextOpen;
    private TimeSpan _roundTrip;
    private (TimeSpan Low, TimeSpan High) _refined;
    private bool _isResetOnUse;

    /// <summary>Begins.</summary>
    /// <param name="options">How far and how fine.</param>
    /// <param name="now">The time.</param>
    public Measurement(MeasureOptions options, Instant now)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _begun, _now, _nextOpen) = (options, now, now, now);
        foreach (LaneKind kind in (LaneKind[])[LaneKind.ClientKeepAlive, LaneKind.ServerKeepAlive, LaneKind.ClientBytes, LaneKind.ServerBytes]) Add(kind, TimeSpan.Zero);
        foreach (TimeSpan rung in options.Ladder()) Add(LaneKind.Silent, rung);
        Advance(now);
    }

    /// <summary>The result, once there is one. Final.</summary>
    public PathFinding? Finding { get; private set; }

    /// <summary>All lanes so far, by number.</summary>
    public IReadOnlyList<Lane> Lanes => _lanes;

    /// <summary>What is known so far: the longest silence survived, and the shortest that was not.</summary>
    public (TimeSpan Low, TimeSpan? High) Known => (Low, Lost()?.Silence);

    /// <summary>When to call <see cref="OnDeadline"/>.</summary>
    public Instant Deadline => Finding is not null ? Instant.Never : Deadlines().Where(d => d > _now).Append(Instant.Never).Min();

    /// <summary>What is to be done next, in order.</summary>
    public bool TryTakeEffect(out MeasureEffect effect) => _effects.TryDequeue(out effect);

    /// <summary>A round trip on the control connection.</summary>
    public void OnRoundTrip(TimeSpan took) => _roundTrip = took > _roundTrip ? took : _roundTrip;

    /// <summary>A lane is held: its silence begins.</summary>
    public void OnHeld(int lane, Instant now)
    {
        if (_lanes[lane] is { Stage: LaneStage.Opening } held) (held.Stage, held.Since) = (LaneStage.Held, now);
        Advance(now);
    }

    /// <summary>A lane could not be opened.</summary>
    public void OnFailed(int lane, Instant now)
    {
        if (_lanes[lane] is { Stage: LaneStage.Opening } failed) failed.Stage = LaneStage.Void;
        Advance(now);
    }

    /// <summary>The server was heard on a lane.</summary>
    public void OnSpoken(int lane, Instant now)
    {
        Lane heard = _lanes[lane];
        if (_witness.Said == heard) _witness.OnRevived();
        else if (heard.Stage is LaneStage.Held or LaneStage.Due or LaneStage.Lost)
        {
            heard.Stage = LaneStage.Lived;
            Want(LaneAction.Drop, heard);
        }

        Advance(now);
    }

    /// <summary>A lane was ended by something that is neither of us.</summary>
    /// <param name="lane">Its number.</param>
    /// <param name="how">How.</param>
    /// <param name="age">How long it had been silent then.</param>
    /// <param name="now">When that was learned.</param>
    public void OnEnded(int lane, LaneEnd how, TimeSpan age, Instant now)
    {
        Lane ended = _lanes[lane];
        // The server begins to count half a round trip before us.
        bool isUsed = ended.Kind == LaneKind.Silent && (ended.Stage is LaneStage.Due or LaneStage.Lost || (ended.Stage == LaneStage.Held && age >= ended.Silence - Suspicion(ended.Silence)));
        if (isUsed && how == LaneEnd.Reset) _isResetOnUse = true;
        if (_witness.Said == ended) _witness.OnEnded();
        if (isUsed) ended.Stage = LaneStage.Lost;
        else if (ended.Stage is LaneStage.Held or LaneStage.Due) (ended.Stage, ended.Age, ended.End) = (LaneStage.Ended, age, how);
        else if (ended.Stage == LaneStage.Opening) ended.Stage = LaneStage.Void;
        if (ended.Stage == LaneStage.Ended) Want(LaneAction.Drop, ended);
        Advance(now);
    }

    /// <summary>What is known of a lane, as was asked for.</summary>
    public void OnState(int lane, LaneState state, Instant now)
    {
        Lane asked = _lanes[lane];
        if (asked.Kind == LaneKind.ClientKeepAlive) _crossing.OnState(state);
        else if (asked == _witness.Said) _witness.OnState(state);
        Advance(now);
    }

    /// <summary>Time has come to <paramref name="now"/>. Early calls are harmless.</summary>
    public void OnDeadline(Instant now) => Advance(now);

    private void Advance(Instant now)
    {
        if (Finding is not null) return;
        _now = Instant.Max(_now, now); // facts of several connections come in no strict order
        Open();
        foreach (Lane lane in _lanes) Age(lane);
        Refine();
        Lane[] evidence = [.. Against(Low)];
        bool isSure = evidence.Length >= 2 || (evidence.Length == 1 && IsSettled());
        if (isSure) _witness.Advance(evidence, _now, Grace(TimeSpan.Zero), Want);
        _crossing.Advance(_lanes[0], _now, Want);
        Question(isSure ? High() : null);
        Conclude();
    }

    private void Open()
    {
        while (_waiting.Count > 0 && _now >= _nextOpen)
        {
            Lane next = _waiting.Dequeue();
            if (next.Stage != LaneStage.Waiting) continue;
            next.Stage = LaneStage.Opening;
            Want(LaneAction.Open, next);
            _nextOpen = Instant.Max(_nextOpen, _now + -_options.Pace) + _options.Pace;
        }
    }

    private void Age(Lane lane)
    {
        if (lane is { Kind: LaneKind.Silent, Stage: LaneStage.Held } && _now >= lane.Since + lane.Silence) (lane.Stage, lane.DueAt) = (LaneStage.Due, lane.Since + lane.Silence);
        if (lane.Stage == LaneStage.Due && _now >= LostAt(lane)) lane.Stage = LaneStage.Lost;
    }

    // The second round: within what is known, as soon as a rung is late.
    private void Refine()
    {
        if (Lost() is not { } first || Low == TimeSpan.Zero) return;
        (TimeSpan low, TimeSpan high) = (Low, first.Silence);
        bool isWithin = low >= _refined.Low && high <= _refined.High;
        if (isWithin || _lanes.Any(l => l.Kind == LaneKind.Silent && !l.IsResolved && l.Silence < high && l.Silence > low)) return;
        _refined = (low, high);
        TimeSpan step = (high - low) / FineSteps;
        if (step < FineStepMin) step = FineStepMin;
        for (TimeSpan silence = low + step; silence < high - (step / 2); silence += step) Add(LaneKind.Silent, MeasureOptions.Whole(silence));
        Open();
    }

    // Those who are refreshed are asked when they are clearly older than the timeout; with none, when all is done.
    private void Question(TimeSpan? high)
    {
        bool isUnlimited = high is null && IsSettled();
        foreach (Lane lane in _lanes.Where(l => l.Kind != LaneKind.Silent && l.Stage == LaneStage.Held))
        {
            if (!isUnlimited && !(high is { } known && _now >= AskedAt(lane, known))) continue;
            (lane.Stage, lane.DueAt) = (LaneStage.Due, _now);
            Want(LaneAction.Speak, lane);
        }
    }

    private void Conclude()
    {
        if (!IsSettled() || _lanes.Any(l => l.Kind != LaneKind.Silent && !l.IsResolved) || _crossing.IsPending(_lanes[0])) return;
        Lane[] ended = Ended();
        TimeSpan? high = High();
        if (high is not null && ended.Length == 0 && !_witness.IsDone) return;
        TimeSpan low = Low;
        if (ended.Length > 0)
        {
            TimeSpan earliest = ended.Min(l => l.Age) - Suspicion(TimeSpan.Zero);
            low = earliest > low ? earliest : low;
        }

        Expiry expiry = high is null ? Expiry.None
            : ended.Length > 0 ? ended[0].End == LaneEnd.Reset ? Expiry.Reset : Expiry.Close
            : _isResetOnUse ? Expiry.ResetOnUse : Expiry.Silent;
        Finding = new PathFinding
        {
            Low = low,
            High = high,
            Expiry = expiry,
            ClientRevives = expiry == Expiry.ResetOnUse && _witness.Revives == Answer.Unknown ? Answer.No : _witness.Revives,
            ClientKeepAlive = Refreshes(LaneKind.ClientKeepAlive, high),
            ServerKeepAlive = Refreshes(LaneKind.ServerKeepAlive, high),
            ClientBytes = Refreshes(LaneKind.ClientBytes, high),
            ServerBytes = Refreshes(LaneKind.ServerBytes, high),
            KeepAliveCrosses = _crossing.Crosses,
            Connections = _lanes.Count(l => l.Stage is not (LaneStage.Waiting or LaneStage.Void)) + 1,
            Failed = _lanes.Count(l => l.Stage == LaneStage.Void),
            Took = _now - _begun,
            RoundTrip = _roundTrip,
        };
    }

    private Answer Refreshes(LaneKind kind, TimeSpan? high) => high is null ? Answer.Unknown : _lanes.First(l => l.Kind == kind).Stage switch
    {
        LaneStage.Lived => Answer.Yes,
        LaneStage.Lost or LaneStage.Ended => Answer.No,
        _ => Answer.Unknown,
    };

    private TimeSpan Low => Silent(LaneStage.Lived).Select(l => l.Silence).DefaultIfEmpty().Max();

    /// <summary>The shortest silence that was not survived, by whatever evidence there is.</summary>
    private TimeSpan? High() => Ended() is { Length: > 0 } ended ? ended.Max(l => l.Age) : Lost()?.Silence;

    // Longer than what was survived: a loss below that was chance.
    private Lane? Lost()
    {
        TimeSpan low = Low;
        return _lanes.Where(l => l.Kind == LaneKind.Silent && l.Silence > low && (l.Stage == LaneStage.Lost || IsSuspect(l))).MinBy(l => l.Silence);
    }

    private IEnumerable<Lane> Against(TimeSpan low) => Silent(LaneStage.Lost).Where(l => l.Silence > low).Concat(Ended()).OrderBy(l => l.Silence);

    // Ended at one age, and that above all that was survived. The first to be ended are the ones that count: the rest follow.
    private Lane[] Ended()
    {
        TimeSpan low = Low;
        Lane[] all = [.. Silent(LaneStage.Ended).Where(l => l.Age > low && l.End != LaneEnd.Timeout).OrderBy(l => l.Age)];
        if (all.Length == 0) return [];
        Lane[] alike = [.. all.TakeWhile(l => l.Age - all[0].Age <= Grace(all[0].Age))];
        return alike.Length >= EndedEnough || _lanes.TrueForAll(l => l.IsResolved || l.Kind != LaneKind.Silent) ? alike : [];
    }

    private bool IsSettled()
    {
        if (Ended().Length > 0) return true;
        if (Lost() is not { } first) return _lanes.TrueForAll(l => l.IsResolved || l.Kind != LaneKind.Silent);
        bool isNarrow = Low == TimeSpan.Zero || (Low >= _refined.Low && first.Silence <= _refined.High);
        // The next one above tells whether the loss was chance.
        Lane? above = _lanes.Where(l => l.Kind == LaneKind.Silent && l.Stage != LaneStage.Void && l.Silence > first.Silence).MinBy(l => l.Silence);
        return isNarrow && first.Stage == LaneStage.Lost && above?.IsResolved != false
            && !_lanes.Exists(l => l.Kind == LaneKind.Silent && !l.IsResolved && l.Silence < first.Silence);
    }

    private IEnumerable<Lane> Silent(LaneStage stage) => _lanes.Where(l => l.Kind == LaneKind.Silent && l.Stage == stage);

    private bool IsSuspect(Lane lane) => lane.Stage == LaneStage.Due && _now >= SuspectAt(lane);

    private Instant SuspectAt(Lane lane) => lane.DueAt + Suspicion(lane.DueAt - lane.Since);

    private Instant LostAt(Lane lane) => lane.DueAt + Grace(lane.DueAt - lane.Since);

    private Instant AskedAt(Lane lane, TimeSpan high) => lane.Since + (high + Grace(high));

    private TimeSpan Suspicion(TimeSpan silence)
    {
        TimeSpan part = silence * GracePart;
        return (part < SuspicionMin ? SuspicionMin : part > GraceMin ? GraceMin : part) + (2 * _roundTrip);
    }

    private TimeSpan Grace(TimeSpan silence)
    {
        TimeSpan least = GraceMin + (4 * _roundTrip), part = silence * GracePart;
        if (part > GraceMax) part = GraceMax;
        return part > least ? part : least;
    }

    private IEnumerable<Instant> Deadlines()
    {
        if (_waiting.Count > 0) yield return _nextOpen;
        TimeSpan? high = High();
        foreach (Lane lane in _lanes)
        {
            if (lane is { Kind: LaneKind.Silent, Stage: LaneStage.Held }) yield return lane.Since + lane.Silence;
            else if (lane.Stage == LaneStage.Held && high is { } known) yield return AskedAt(lane, known);
            if (lane.Stage != LaneStage.Due) continue;
            yield return SuspectAt(lane);
            yield return LostAt(lane);
        }

        yield return _crossing.Deadline(_lanes[0]);
        yield return _witness.Deadline;
    }

    private void Add(LaneKind kind, TimeSpan silence)
    {
        if (_lanes.Count + 2 >= MeasureOptions.ConnectionsMax) return;
        var lane = new Lane(_lanes.Count, kind, silence);
        _lanes.Add(lane);
        _waiting.Enqueue(lane);
    }

    private void Want(LaneAction action, Lane lane) => _effects.Enqueue(new MeasureEffect(action, lane));
}
