using KeepAlive.Core;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// The three promises of keepalive, for many flows on one schedule, over a network that loses probes and answers and
/// with peers that die: a binding longer than the refresh never expires; a dead peer is found within the detection time;
/// a live peer is declared dead only if count probes or answers in a row were lost.
/// </summary>
public sealed class KeepAliveInvariants
{
    private const int Seeds = 60;
    private const int Flows = 60;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    // What the wheel may be late by, each time a flow waits for it.
    private static readonly TimeSpan Slot = TimeSpan.FromTicks(1 << 17);

    [Theory]
    [InlineData(ProbeQuestion.PeerAlive)]
    [InlineData(ProbeQuestion.BindingFresh)]
    public void Hold_for_every_flow(ProbeQuestion question)
    {
        int found = 0, lost = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            foreach (Flow flow in Run(seed, question))
            {
                string where = $"seed {seed}, {flow.Policy}";
                TimeSpan refresh = flow.Refresh + Slot;
                Assert.True(flow.LongestSilence <= refresh, $"{where}: a binding of {refresh} expired, {flow.LongestSilence} without traffic");
                if (flow.GaveUp == Instant.Never)
                {
                    Assert.True(question == ProbeQuestion.BindingFresh || !flow.Died(Lifetime - refresh - flow.Verdict), $"{where}: a dead peer was not found");
                    continue;
                }

                found++;
                if (!flow.Died(flow.GaveUp - VirtualTimeStart)) lost++;
                Assert.True(flow.LostInARow >= flow.Policy.Count, $"{where}: given up after {flow.LostInARow} losses");
                TimeSpan after = flow.GaveUp - flow.LastHeard;
                Assert.True(after <= refresh + flow.Verdict, $"{where}: found after {after}");
            }
        }

        if (question == ProbeQuestion.PeerAlive) Assert.True(found > 100 && lost > 10, $"{found} dead, {lost} of them alive: the simulation shows nothing");
        else Assert.Equal(0, found);
    }

    private static readonly Instant VirtualTimeStart = new VirtualTime().Now;

    private static List<Flow> Run(int seed, ProbeQuestion question)
    {
        var random = new Random(seed);
        var time = new VirtualTime();
        var schedule = new Schedule<Flow>(time.Now);
        var flows = new List<Flow>();
        for (int i = 0; i < Flows; i++) flows.Add(new Flow(time, schedule, question, random));
        Instant end = time.Now + Lifetime;
        while (Instant.Min(schedule.NextWake, end) is var wake && time.Now < end)
        {
            time.RunUntil(wake);
            while (schedule.TryTake(time.Now, out Flow flow)) flow.OnAlarm();
        }

        return flows;
    }

    private sealed class Flow
    {
        private readonly VirtualTime _time;
        private readonly Schedule<Flow> _schedule;
        private readonly Random _random;
        private readonly ProbeQuestion _question;
        private readonly ScheduleEntry _entry;
        private readonly Instant _diesAt;
        private readonly double _loss;
        private Probe _probe;
        private Instant _lastTraffic;

        public Flow(VirtualTime time, Schedule<Flow> schedule, ProbeQuestion question, Random random)
        {
            (_time, _schedule, _question, _random) = (time, schedule, question, random);
            Policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(1, 60)), random.Next(1, 6), TimeSpan.FromSeconds(random.Next(1, 30)));
            _probe = new Probe(Policy, question, time.Now, random.NextDouble());
            _diesAt = random.Next(2) == 0 ? Instant.Never : time.Now + (random.NextDouble() * Lifetime);
            _loss = random.Next(3) * 0.2;
            _lastTraffic = LastHeard = time.Now;
            _entry = schedule.Add(this, _probe.Deadline);
            Talk();
        }

        public KeepAlivePolicy Policy { get; }

        public Instant GaveUp { get; private set; } = Instant.Never;

        public Instant LastHeard { get; private set; }

        public int LostInARow { get; private set; }

        public TimeSpan LongestSilence { get; private set; }

        // No two probes that must be answered are closer than the interval: as in the kernel, a longer one takes idle's place.
        public TimeSpan Refresh => _question == ProbeQuestion.BindingFresh || Policy.Idle > Policy.Interval ? Policy.Idle : Policy.Interval;

        public TimeSpan Verdict => Policy.Count * (Policy.Interval + Slot);

        public bool Died(TimeSpan within) => _diesAt <= VirtualTimeStart + within;

        public void OnAlarm()
        {
            switch (_probe.OnDeadline(_time.Now))
            {
                case ProbeEffect.GiveUp:
                    GaveUp = _time.Now;
                    return;
                case ProbeEffect.SendProbe:
                    Traffic();
                    _probe.OnProbeSent(_time.Now);
                    LostInARow++;
                    if (_random.NextDouble() >= _loss) _time.After(Policy.Interval * (_random.NextDouble() * 0.5), Answer);
                    break;
            }

            _schedule.Arm(_entry, _probe.Deadline);
        }

        private void Answer()
        {
            if (_time.Now >= _diesAt || GaveUp != Instant.Never) return;
            Traffic();
            LostInARow = 0;
            LastHeard = _time.Now;
            _probe.OnReceived(_time.Now); // and the schedule is not touched
        }

        // Now and then the two ends have something to say by themselves.
        private void Talk() => _time.After(_random.NextDouble() * TimeSpan.FromMinutes(10), () =>
        {
            if (GaveUp != Instant.Never) return;
            if (_random.Next(2) == 0) Answer();
            else _probe.OnSent(Traffic());
            Talk();
        });

        private Instant Traffic()
        {
            TimeSpan silence = _time.Now - _lastTraffic;
            if (silence > LongestSilence) LongestSilence = silence;
            return _lastTraffic = _time.Now;
        }
    }
}
