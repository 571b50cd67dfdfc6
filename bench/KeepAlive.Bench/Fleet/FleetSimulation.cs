using KeepAlive.Fleet;

namespace KeepAlive.Bench.Fleet;

/// <summary>
/// What etcd is asked by a fleet of any size that goes through a <see cref="FleetScenario"/>: discrete events in virtual time, no threads,
/// the same every time. A machine does what <see cref="FleetMember"/> does, by the same <see cref="FleetPace"/> and <see cref="BackOff"/>.
/// </summary>
internal sealed class FleetSimulation
{
    // Until a change is told by the watches.
    private const double WatchDelay = 0.05;

    // base64 in JSON.
    private const double Spelled = 4.0 / 3;

    private const int CountedMin = 1000; // FleetStore.SizeAsync
    private const int PageEntries = 1000; // FleetStore.MachinesAsync
    private const int AnswerBytes = 120; // an answer with nothing but its header, or an entry's own

    private readonly FleetScenario _scenario;
    private readonly Random _random;
    private readonly Machine[] _machines;
    private readonly PriorityQueue<Due, double> _due = new();
    private double _now;
    private int _joined;
    private (int Machines, double At) _size = (0, double.NegativeInfinity);
    private bool _isTrial;
    private int _judge = -1;
    private double _seatedAt;

    private FleetSimulation(FleetScenario scenario, int seed)
    {
        (_scenario, _random) = (scenario, new Random(seed));
        Tally = new FleetTally((int)scenario.End + 1);
        _machines = new Machine[scenario.Machines];
        for (int i = 0; i < _machines.Length; i++)
        {
            _machines[i] = new Machine { BackOff = new BackOff(_random), Pace = new FleetPace(1) };
            At(scenario.StartOver * i / _machines.Length, i, Step.Session);
        }
    }

    private enum Step
    {
        Session,
        Renew,
        Tell,
        Judge,
        Restart,
        Policy,
        Canary,
        Through,
        Away,
    }

    private readonly record struct Due(int Machine, Step Step, int Turn);

    private struct Machine
    {
        public BackOff BackOff;
        public FleetPace Pace;
        public int Session; // what was due before a break is not
        public int Telling; // nor what a hurry went before
        public double LeaseLife; // 0: none
        public double LeaseEnds;
        public double Told;
        public double Counted;
        public bool IsForgotten;
        public bool IsIn;
    }

    /// <summary>What it asked.</summary>
    public FleetTally Tally { get; }

    /// <summary>The most machines that were in the fleet at once.</summary>
    public int Joined => _joined;

    /// <summary>Plays it to its end.</summary>
    public static FleetSimulation Run(FleetScenario scenario, int seed = 1)
    {
        var simulation = new FleetSimulation(scenario, seed);
        simulation.Run();
        return simulation;
    }

    private bool IsAway => _now >= _scenario.AwayAt && _now < _scenario.BackAt;

    private void Run()
    {
        At(_scenario.PolicyAt, -1, Step.Policy);
        At(_scenario.CanaryAt, -1, Step.Canary);
        At(_scenario.AwayAt, -1, Step.Away);
        if (_scenario.RestartsPerDay > 0) AtRestart();
        while (_due.TryDequeue(out Due due, out double at) && at < _scenario.End)
        {
            _now = at;
            Take(due);
        }
    }

    private void Take(Due due)
    {
        switch (due.Step)
        {
            case Step.Policy:
                OnPolicy();
                return;
            case Step.Canary:
                OnCanary();
                return;
            case Step.Through:
                _isTrial = false;
                OnPolicy();
                return;
            case Step.Away:
                for (int i = 0; i < _machines.Length; i++) Break(i);
                return;
            case Step.Restart:
                OnRestart();
                return;
        }

        ref Machine machine = ref _machines[due.Machine];
        if (due.Turn != (due.Step == Step.Tell ? machine.Telling : machine.Session)) return;
        switch (due.Step)
        {
            case Step.Session:
                OnSession(due.Machine, ref machine);
                break;
            case Step.Renew:
                OnRenew(due.Machine, ref machine);
                break;
            case Step.Tell:
                OnTell(due.Machine, ref machine);
                break;
            case Step.Judge when _isTrial:
                OnJudge(due.Machine, ref machine);
                break;
        }
    }

    private void OnSession(int i, ref Machine machine)
    {
        if (IsAway)
        {
            Ask(FleetCall.Failed);
            Break(i);
            return;
        }

        // A new leader lets every lease live as long again.
        if (machine.LeaseLife > 0) Ask(FleetCall.Renew);
        double promoted = _now >= _scenario.BackAt ? _scenario.BackAt + machine.LeaseLife : 0;
        if (machine.LeaseLife == 0 || _now > Math.Max(machine.LeaseEnds, promoted)) Join(ref machine);
        machine.LeaseEnds = _now + machine.LeaseLife;
        Ask(FleetCall.Range, 2, _scenario.PolicyBytes * Spelled);
        Ask(FleetCall.Watch, 2);
        (machine.IsIn, machine.Counted, machine.Told) = (true, _now, _now);
        At(_now + RenewEvery(machine), i, Step.Renew);
        At(_now + machine.Pace.DigestEvery.TotalSeconds, i, Step.Tell);
        if (_isTrial) AtJudge(i, machine);
    }

    private void Join(ref Machine machine)
    {
        machine.Pace = new FleetPace(Size() + 1);
        machine.LeaseLife = machine.Pace.Life.TotalSeconds;
        machine.IsForgotten = false;
        if (!machine.IsIn) _joined++;
        Ask(FleetCall.Grant);
        Ask(FleetCall.Txn);
    }

    // FleetStore.SizeAsync.
    private int Size()
    {
        Ask(FleetCall.Range);
        if (_now - _size.At < new FleetPace(_size.Machines).CountEvery.TotalSeconds) return _size.Machines;
        Ask(FleetCall.Range);
        Tally.Add(_now, FleetCall.Walked, _joined);
        if (_joined < CountedMin) return _joined;
        _size = (_joined, _now);
        Ask(FleetCall.Txn);
        return _joined;
    }

    private void OnRenew(int i, ref Machine machine)
    {
        Ask(FleetCall.Renew);
        machine.LeaseEnds = _now + machine.LeaseLife;
        machine.BackOff.Reset();
        At(_now + RenewEvery(machine), i, Step.Renew);
    }

    private void OnTell(int i, ref Machine machine)
    {
        if (_isTrial || machine.IsForgotten || FleetDigest.HasChanged(TimeSpan.FromSeconds(_now - machine.Told), _random)) Ask(FleetCall.Txn);
        (machine.Told, machine.IsForgotten) = (_now, false);
        if (_now - machine.Counted >= machine.Pace.CountEvery.TotalSeconds)
        {
            machine.Counted = _now;
            machine.Pace = new FleetPace(Size());
            if (machine.Pace.Life.TotalSeconds >= 1.5 * machine.LeaseLife)
            {
                Ask(FleetCall.Grant);
                Ask(FleetCall.Txn);
                machine.LeaseLife = machine.Pace.Life.TotalSeconds;
                machine.LeaseEnds = _now + machine.LeaseLife;
            }
        }

        machine.Telling++;
        At(_now + machine.Pace.DigestEvery.TotalSeconds, i, Step.Tell);
    }

    // All have it, and tell so.
    private void OnPolicy()
    {
        Ask(FleetCall.Range, 2);
        Ask(FleetCall.Txn);
        for (int i = 0; i < _machines.Length; i++)
            if (_machines[i].IsIn) Hurry(i);
    }

    private void Hurry(int i)
    {
        ref Machine machine = ref _machines[i];
        Tally.Add(_now + WatchDelay, FleetCall.BytesOut, (long)(_scenario.PolicyBytes * Spelled) + AnswerBytes);
        machine.Telling++;
        machine.IsForgotten = true; // its policy's number is another, or a trial is in it
        At(_now + WatchDelay + (machine.Pace.Spread.TotalSeconds * _random.NextDouble()), i, Step.Tell);
    }

    private void OnCanary()
    {
        (_isTrial, _judge) = (true, -1);
        LookAtAll();
        OnPolicy();
        for (int i = 0; i < _machines.Length; i++)
            if (_machines[i].IsIn) AtJudge(i, _machines[i]);
    }

    private void AtJudge(int i, Machine machine) =>
        At(_now + (machine.Pace.DigestEvery.TotalSeconds / 2 * _random.NextDouble()) + (machine.Pace.Spread.TotalSeconds * _random.NextDouble()), i, Step.Judge);

    private void OnJudge(int i, ref Machine machine)
    {
        At(_now + (machine.Pace.DigestEvery.TotalSeconds / 2), i, Step.Judge);
        bool isKnown = _judge >= 0 && _now > _seatedAt + WatchDelay;
        if (isKnown && _judge != i) return;
        Ask(FleetCall.Txn);
        Ask(FleetCall.Range);
        if (_judge < 0)
        {
            (_judge, _seatedAt) = (i, _now);
            for (int k = 0; k < _machines.Length; k++) Tally.Add(_now + WatchDelay, FleetCall.BytesOut, AnswerBytes);
        }

        if (_judge != i) return;
        LookAtAll();
        if (_now > _scenario.CanaryAt + _scenario.Observe + machine.Pace.DigestEvery.TotalSeconds + machine.Pace.Spread.TotalSeconds) At(_now, -1, Step.Through);
    }

    private void LookAtAll()
    {
        Ask(FleetCall.Range, (_joined / PageEntries) + 1, _joined * ((FleetDigest.Bytes * Spelled) + AnswerBytes) / ((_joined / PageEntries) + 1));
        Tally.Add(_now, FleetCall.Walked, _joined);
    }

    private void Break(int i)
    {
        ref Machine machine = ref _machines[i];
        machine.Session++;
        machine.Telling++;
        machine.IsForgotten = true;
        At(_now + machine.BackOff.Next().TotalSeconds + (machine.Pace.Spread.TotalSeconds * _random.NextDouble()), i, Step.Session);
    }

    private void OnRestart()
    {
        AtRestart();
        if (IsAway) return;
        int i = _random.Next(_machines.Length);
        ref Machine machine = ref _machines[i];
        if (!machine.IsIn || machine.LeaseLife == 0) return;
        Ask(FleetCall.Revoke);
        (machine.LeaseLife, machine.IsIn) = (0, false);
        _joined--;
        machine.Session++;
        machine.Telling++;
        At(_now + 2, i, Step.Session);
    }

    private void AtRestart() => At(_now - (Math.Log(1 - _random.NextDouble()) * 86400 / _scenario.RestartsPerDay), -1, Step.Restart);

    private static double RenewEvery(Machine machine) => Math.Min(machine.Pace.RenewEvery.TotalSeconds, machine.LeaseLife / 3);

    private void Ask(FleetCall call, int count = 1, double bytes = 0)
    {
        Tally.Add(_now, call, count);
        Tally.Add(_now, FleetCall.BytesOut, (long)(count * (bytes + AnswerBytes)));
    }

    private void At(double at, int machine, Step step) =>
        _due.Enqueue(new Due(machine, step, machine < 0 ? 0 : step == Step.Tell ? _machines[machine].Telling : _machines[machine].Session), at);
}
