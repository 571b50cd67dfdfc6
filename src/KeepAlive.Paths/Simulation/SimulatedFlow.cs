using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.Paths.Simulation;

/// <summary>
/// One flow with its path and its peer, driven by the real <see cref="Probe"/>. It is looked at when a deadline comes up and at
/// no other time; what its peer sent meanwhile is made up then, as traffic never touches a schedule.
/// </summary>
/// <remarks>
/// <code>
///            loss / 2              loss / 2, each way
///     us ───────────────── middlebox ───────────────── peer
///         outages          expiry                      sleep, death
/// </code>
/// </remarks>
internal sealed class SimulatedFlow(SimulatedWorld world, SimulationTally tally)
{
    // A program that lost its connection dials again, and not all at the same moment.
    private static readonly TimeSpan ReopenWithin = TimeSpan.FromSeconds(5);

    private readonly TimeSpan _quarterTrip = world.RoundTrip / 4;
    private Probe _probe;
    private SplitMix64 _random;
    private Spells _outages;
    private Spells _sleep;
    private Instant _refreshed;
    private Instant _heard;
    private Instant _diesAt;
    private Instant _nextTraffic;
    private Obstacles _met;
    private int _lostInARow;
    private bool _isOpen;
    private bool _wasWronged;

    /// <summary>Its place in the schedule.</summary>
    public ScheduleEntry Entry { get; set; }

    /// <summary>Becomes flow number <paramref name="index"/> of the world, whatever it was before.</summary>
    /// <returns>Its first deadline.</returns>
    public Instant Start(long index)
    {
        _random = new SplitMix64(world.Seed, (ulong)index);
        Instant start = SimulatedWorld.Start;
        _outages = Spells.From(world.Outages, start, ref _random);
        _sleep = Spells.From(world.Sleep, start, ref _random);
        _isOpen = _wasWronged = false;
        return start + (world.OpenWithin * _random.NextDouble());
    }

    /// <summary>A deadline has come up.</summary>
    /// <returns>The next one.</returns>
    public Instant OnAlarm(Instant now)
    {
        if (!_isOpen) return Open(now);
        HearUntil(now);
        if (EndsAtExpiry && IsExpired(now)) return End(Ending.Expired, Expires);
        switch (_probe.OnDeadline(now))
        {
            case ProbeEffect.SendProbe:
                return SendProbe(now) is { } ending ? End(ending, now + world.RoundTrip) : NextAlarm;
            case ProbeEffect.GiveUp:
                return End(Reason, now);
            default:
                return NextAlarm;
        }
    }

    /// <summary>Time is over: what is still open is counted as it stands.</summary>
    public void Finish(Instant end)
    {
        if (_isOpen)
        {
            HearUntil(end);
            bool isExpired = IsExpired(end);
            if (isExpired && Expires < _diesAt) Wrong(ref tally.ExpiredUnnoticed);
            else if (_diesAt <= end) tally.NotFound(end - _diesAt);
        }

        if (!_wasWronged) tally.Survived++;
    }

    private Instant NextAlarm => EndsAtExpiry ? Instant.Min(_probe.Deadline, Expires) : _probe.Deadline;

    private Instant Expires => world.BindingTimeout is { } timeout ? _refreshed + timeout : Instant.Never;

    private bool EndsAtExpiry => world.BindingTimeout is not null && world.Expiry is ExpiryBehaviour.ResetBoth or ExpiryBehaviour.Close;

    // Which obstacle explains that a peer who lives was given up: the one that lasts longest.
    private Ending Reason => (_met & Obstacles.Expired) != 0 ? Ending.Expired : (_met & Obstacles.Sleep) != 0 ? Ending.Asleep
        : (_met & Obstacles.Outage) != 0 ? Ending.FalseInOutage : Ending.False;

    private bool IsExpired(Instant at) => world.BindingTimeout is { } timeout && at - _refreshed >= timeout;

    private Instant Open(Instant now)
    {
        if (world.CutAt is { } cut && now >= SimulatedWorld.Start + cut) return Instant.Never;
        _isOpen = true;
        tally.Opened++;
        _probe = new Probe(world.Policy, world.Question, now, world.HasJitter ? _random.NextDouble() : 0);
        _refreshed = _heard = now;
        _met = Obstacles.None;
        _lostInARow = 0;
        _diesAt = world.DeathsPerDay > 0 ? now + _random.NextGap(TimeSpan.FromDays(1) / world.DeathsPerDay) : Instant.Never;
        if (world.CutAt is { } dies) _diesAt = Instant.Min(_diesAt, SimulatedWorld.Start + dies);
        _nextTraffic = world.TrafficEvery is { } mean ? now + _random.NextGap(mean) : Instant.Never;
        return NextAlarm;
    }

    private void HearUntil(Instant now)
    {
        while (_nextTraffic <= now)
        {
            Instant at = _nextTraffic;
            _nextTraffic = at + _random.NextGap(world.TrafficEvery!.Value);
            // Loss delays data, as TCP repeats it; a peer that is away or cut off says nothing.
            if (at >= _diesAt || _sleep.Covers(at, world.Sleep, ref _random) || _outages.Covers(at, world.Outages, ref _random) || IsExpired(at)) continue;
            _refreshed = Instant.Max(_refreshed, at);
            Hear(at);
        }
    }

    private void Hear(Instant at)
    {
        if (at < _heard) return;
        _heard = at;
        _probe.OnReceived(at);
        _lostInARow = 0;
        _met = Obstacles.None;
    }

    // The answer is told with the time at which it will be there: nothing is asked of the flow before that. An ending where one came back.
    private Ending? SendProbe(Instant now)
    {
        _probe.OnProbeSent(now);
        tally.CountProbe(now);
        _lostInARow++;
        if (_outages.Covers(now, world.Outages, ref _random)) return Lost(Obstacles.Outage);
        Crossing there = Cross();
        if (there == Crossing.LostBefore) return Lost(Obstacles.Loss);
        Instant at = now + _quarterTrip;
        if (IsExpired(at))
        {
            _ = Lost(Obstacles.Expired);
            return world.Expiry == ExpiryBehaviour.ResetOnUse ? Ending.Expired : null;
        }

        if (world.Refresh == BindingRefresh.Payload) return AnswerFromMiddlebox(now);
        Refresh(at);
        at += _quarterTrip;
        if (there == Crossing.LostAfter) return Lost(Obstacles.Loss);
        if (at >= _diesAt) return world.CutAt is null && at >= _diesAt + world.BackAfter ? Ending.Found : Lost(Obstacles.Death);
        if (_sleep.Covers(at, world.Sleep, ref _random)) return Lost(Obstacles.Sleep);
        tally.Answers++;
        Crossing back = Cross();
        if (back == Crossing.LostBefore) return Lost(Obstacles.Loss);
        Refresh(at + _quarterTrip);
        if (back == Crossing.LostAfter) return Lost(Obstacles.Loss);
        Hear(now + world.RoundTrip);
        return null;
    }

    private Ending? Lost(Obstacles why)
    {
        _met |= why;
        return null;
    }

    // One that looks above TCP ends it on both sides: its own stack answers, and probes never reach the peer.
    private Ending? AnswerFromMiddlebox(Instant now)
    {
        tally.Answers++;
        if (Cross() == Crossing.LostBefore) return Lost(Obstacles.Loss);
        Hear(now + world.RoundTrip);
        return null;
    }

    private void Refresh(Instant at) => _refreshed = Instant.Max(_refreshed, at);

    private Crossing Cross()
    {
        if (world.Loss == 0) return Crossing.Arrives;
        double drawn = _random.NextDouble();
        return drawn >= world.Loss ? Crossing.Arrives : drawn < world.Loss / 2 ? Crossing.LostBefore : Crossing.LostAfter;
    }

    private Instant End(Ending ending, Instant at)
    {
        _isOpen = false;
        if (_diesAt <= at && (ending != Ending.Expired || _diesAt <= Expires)) ending = Ending.Found;
        switch (ending)
        {
            case Ending.Found:
                tally.Found(at - _diesAt);
                break;
            case Ending.Expired:
                Wrong(ref tally.Expired);
                break;
            case Ending.Asleep:
                Wrong(ref tally.GivenUpAsleep);
                break;
            default:
                Wrong(ref tally.FalseDeaths);
                if (ending == Ending.FalseInOutage) tally.FalseDeathsInOutages++;
                tally.FewestLost = Math.Min(tally.FewestLost, _lostInARow);
                break;
        }

        return Reopens(at);
    }

    // As soon as there is anybody to talk to, and a way.
    private Instant Reopens(Instant at)
    {
        Instant opens = at + (ReopenWithin * _random.NextDouble());
        if (_diesAt <= at) opens = world.CutAt is null ? Instant.Max(opens, _diesAt + world.BackAfter) : Instant.Never;
        if (opens == Instant.Never) return opens;
        if (_sleep.Covers(opens, world.Sleep, ref _random)) opens = _sleep.Ends;
        return _outages.Covers(opens, world.Outages, ref _random) ? _outages.Ends : opens;
    }

    private void Wrong(ref long count)
    {
        count++;
        _wasWronged = true;
    }

    private enum Crossing
    {
        Arrives,
        LostBefore,
        LostAfter,
    }

    private enum Ending
    {
        Found,
        Expired,
        Asleep,
        False,
        FalseInOutage,
    }

    // What probes met since the peer was last heard.
    [Flags]
    private enum Obstacles
    {
        None = 0,
        Loss = 1,
        Outage = 2,
        Sleep = 4,
        Expired = 8,
        Death = 16,
    }
}
