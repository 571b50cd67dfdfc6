using System.Net;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Simulation;

/// <summary>
/// Flows of one path through a middlebox that forgets what was silent for too long and tells nobody, each with the kernel's keepalive,
/// and the tuner that is told of those that break and live. Who breaks is replaced at once.
/// </summary>
internal sealed class SimulatedPath
{
    private static readonly TimeSpan Floor = KeepAlive.Core.Tuner.IdleFloorDefault;

    private readonly Random _random;
    private readonly TimeSpan _timeout;
    private readonly double _loss;
    private readonly bool _refreshes;
    private readonly KnownPath _path;
    private readonly List<Flow> _flows = [];

    public SimulatedPath(string start, TimeSpan timeout, int flows, int seed, double loss = 0, bool refreshes = true, KeepAlivePolicy? enough = null)
    {
        (_random, _timeout, _loss, _refreshes) = (new Random(seed), timeout, loss, refreshes);
        KeepAlivePolicy policy = KeepAliveSpec.Parse(start).Policy!;
        Tuner = new PathTuner(IPAddress.Parse("192.0.2.1"), new Tuner(policy, enough: enough));
        _path = new KnownPath(Tuner, policy);
        Policies.Add(policy);
        for (int i = 0; i < flows; i++) _flows.Add(new Flow(this));
    }

    public VirtualTime Time { get; } = new();

    public PathTuner Tuner { get; }

    /// <summary>Those in force, in order.</summary>
    public List<KeepAlivePolicy> Policies { get; } = [];

    public List<string> Notices { get; } = [];

    public List<TunedPath> Kept { get; } = [];

    public int Broken { get; private set; }

    public Instant LastBroken { get; private set; }

    private void Take(TuneStep? step)
    {
        if (step is null) return;
        if (step.Kind == FlowEventKind.Notice) Notices.Add(step.Text);
        if (step.Holds is { } holds) Kept.Add(holds);
        if (step.Change is not { } policy) return;
        Policies.Add(policy);
        foreach (Flow flow in _flows) flow.Change(policy);
    }

    private sealed class Flow
    {
        private readonly SimulatedPath _world;
        private LegPath _leg = null!;
        private Probe _probe;
        private Instant _data;
        private Instant _heard;
        private Instant _binding;
        private Instant _owed;
        private int _life;

        public Flow(SimulatedPath world)
        {
            _world = world;
            Begin();
        }

        private Instant Now => _world.Time.Now;

        private KeepAlivePolicy Policy => _leg.Under;

        // TCP_KEEPIDLE, set on a live socket, counts from what was heard last.
        public void Change(KeepAlivePolicy policy)
        {
            _leg.Change(policy, Now);
            _probe = new Probe(policy, ProbeQuestion.PeerAlive, _heard);
            Watch(_life);
        }

        private void Begin()
        {
            int life = ++_life;
            _leg = new LegPath(_world._path, Now);
            (_data, _heard, _binding, _owed) = (Now, Now, Now, Instant.Zero);
            _probe = new Probe(Policy, ProbeQuestion.PeerAlive, Now);
            Watch(life);
            Look(life);
            Talk(life);
        }

        private void Watch(int life) => _world.Time.At(_probe.Deadline, () => OnAlarm(life, _leg.Under));

        private void OnAlarm(int life, KeepAlivePolicy under)
        {
            // Linux sends no keepalive probes while data is unacknowledged.
            if (life != _life || under != Policy || _owed != Instant.Zero) return;
            ProbeEffect effect = _probe.OnDeadline(Now);
            if (effect == ProbeEffect.GiveUp)
            {
                Break();
                return;
            }

            if (effect == ProbeEffect.SendProbe)
            {
                _probe.OnProbeSent(Now);
                if (Crosses(refreshes: _world._refreshes) || !_world._refreshes)
                {
                    _heard = Now;
                    _probe.OnReceived(Now);
                }
            }

            Watch(life);
        }

        private void Look(int life) => _world.Time.After(LegKeepAlive.LookEvery(Policy.DetectionTime), () =>
        {
            if (life != _life) return;
            _world.Take(_leg.OnLook(Seen, Now));
            Look(life);
        });

        // Short pauses and long ones, as people make them.
        private void Talk(int life) => _world.Time.After(TimeSpan.FromSeconds(Math.Exp(_world._random.NextDouble() * Math.Log(20_000))), () =>
        {
            if (life != _life) return;
            if (Crosses(refreshes: true))
            {
                _data = _heard = Now;
                _probe.OnReceived(Now);
                Talk(life);
                return;
            }

            // Sent again until somebody gives up; a binding that is there lets one of them through.
            if (Now - _binding <= _world._timeout)
            {
                Talk(life);
                return;
            }

            _owed = Now;
            _world.Time.After(Policy.DetectionTime, () =>
            {
                if (life == _life) Break();
            });
        });

        private bool Crosses(bool refreshes)
        {
            if (Now - _binding > _world._timeout || _world._random.NextDouble() < _world._loss) return false;
            if (refreshes) _binding = Now;
            return true;
        }

        private void Break()
        {
            (_world.Broken, _world.LastBroken) = (_world.Broken + 1, Now);
            var silence = IdleSilence.Of(_data, Seen, _owed == Instant.Zero ? _data : _owed, _owed, Now);
            _world.Take(_leg.OnBroken(silence with { IsAsked = true }, Floor));
            Begin();
        }

        private PeerContact Seen => new() { SinceData = Now - _data, SinceSent = Now - (_owed == Instant.Zero ? _data : _owed), SinceAck = Now - _heard };
    }
}
