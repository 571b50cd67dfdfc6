using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Fleet;

/// <summary>Which policy is a machine's, and seeing to it that it is in force: the newest wish, one after the other. What etcd does not say changes nothing.</summary>
internal sealed class PolicyFollower(FleetKeys keys, string machine, FleetHooks hooks, TimeProvider time)
{
    // Of a refusal: a line of a table.
    private const int WhyMax = 300;

    private readonly Lock _lock = new();
    private FleetPolicy? _current;
    private Rollout? _rollout;
    private KeptPolicy? _inForce;
    private PolicyRefusal? _refused;
    private FleetPolicy? _refusedPolicy;
    private string? _saidOfCurrent;
    private TrialCount? _trial;
    private long _judgeLease;
    private bool _isRead;
    private TaskCompletionSource _wished = Fresh();

    /// <summary>What was in force when the machine was last up, at once: etcd may be away for long.</summary>
    public async Task StartAsync()
    {
        if (hooks.Kept() is not { } bytes) return;
        if (!FleetJson.TryRead(bytes, out KeptPolicy? kept, out string? fault))
        {
            hooks.Tell("fleet", $"the policy that was kept cannot be read ({fault}): there is none until etcd answers");
            return;
        }

        await ApplyAsync(kept.Policy, kept.IsCanary, "as it was kept").ConfigureAwait(false);
    }

    /// <summary>A policy is on its way; null: none is.</summary>
    public Rollout? Rollout
    {
        get
        {
            lock (_lock) return _rollout;
        }
    }

    /// <summary>The lease of who judges it, as far as is known; 0: nobody.</summary>
    public long JudgeLease
    {
        get
        {
            lock (_lock) return _judgeLease;
        }
    }

    /// <summary>Completes when there is something to see to.</summary>
    public Task Wished
    {
        get
        {
            lock (_lock) return _wished.Task;
        }
    }

    /// <summary>All of the policy keys, as they were read.</summary>
    public void OnRead(IEnumerable<EtcdEntry> entries)
    {
        Dictionary<string, EtcdEntry> byKey = entries.ToDictionary(e => e.Key);
        OnChange(keys.Current, byKey.GetValueOrDefault(keys.Current));
        OnChange(keys.Rollout, byKey.GetValueOrDefault(keys.Rollout));
        OnChange(keys.Judge, byKey.GetValueOrDefault(keys.Judge));
    }

    /// <summary>A key was written, or deleted (null).</summary>
    public void OnChange(string key, EtcdEntry? entry)
    {
        if (key == keys.Current) OnCurrent(entry);
        if (key == keys.Rollout) OnRollout(entry);
        lock (_lock)
        {
            if (key == keys.Judge)
            {
                _judgeLease = entry?.Lease ?? 0;
                return; // no machine has to do or to tell anything for it
            }

            _isRead = true;
            _wished.TrySetResult();
        }
    }

    /// <summary>Makes what is wished for the policy in force; nothing when it is.</summary>
    public async Task SeeToAsync()
    {
        FleetPolicy? wish;
        bool isCanary;
        lock (_lock)
        {
            _wished = Fresh();
            if (!_isRead) return;
            isCanary = _rollout?.IsFor(machine) == true;
            wish = isCanary ? _rollout!.Policy : _current;
            // Not by its number alone: in an etcd that somebody has begun anew they begin anew.
            if (wish == _inForce?.Policy)
            {
                if (_inForce is { } same && same.IsCanary != isCanary) Keep(same with { IsCanary = isCanary });
                return;
            }

            if (wish is null && !_inForce!.IsCanary) return; // it was told that it is gone
            if (wish is not null && wish == _refusedPolicy) return;
        }

        await ApplyAsync(wish, isCanary, isCanary ? "as one of the first" : "").ConfigureAwait(false);
    }

    /// <summary>What the fleet is told of it.</summary>
    /// <param name="digest">What the daemon tells.</param>
    public MachineDigest Fill(MachineDigest digest)
    {
        lock (_lock)
        {
            _trial?.Look(time.GetTimestamp(), digest.Open, digest.Deaths, time);
            return digest with { Machine = machine, Policy = _inForce?.Policy.Number ?? 0, Refused = _refused, Trial = _trial?.Told };
        }
    }

    private void OnCurrent(EtcdEntry? entry)
    {
        FleetPolicy? policy = null;
        string? fault = null;
        if (entry is not null) FleetJson.TryRead(entry.Value, out policy, out fault);
        string? said = null;
        lock (_lock)
        {
            // Nobody takes a policy away by deleting it, or by writing something else there: what is in force stays.
            if (policy is not null) _current = policy;
            else if (entry is not null) said = $"etcd's {entry.Key} is no policy ({fault}): nothing is changed; set one with 'keepalive fleet policy set'";
            else if (_current is not null || _inForce is { IsCanary: false }) said = $"there is no policy in etcd any more: {(_current ?? _inForce!.Policy).Number} stays in force";
            if (said == _saidOfCurrent) said = null;
            else _saidOfCurrent = said;
        }

        if (said is not null) hooks.Tell("fleet", said);
    }

    private void OnRollout(EtcdEntry? entry)
    {
        Rollout? rollout = null;
        string? fault = null;
        if (entry is not null && !FleetJson.TryRead(entry.Value, out rollout, out fault)) hooks.Tell("fleet", $"etcd's {entry.Key} is no rollout ({fault}): nothing is changed");
        if (fault is not null) return;
        lock (_lock)
        {
            if (_rollout?.Policy.Number != rollout?.Policy.Number) _trial = rollout is null || rollout.IsFor(machine) ? null : new TrialCount(rollout.Policy.Number);
            _rollout = rollout;
            if (rollout is not null && _trial is null && rollout.IsFor(machine) && _inForce?.Policy.Number == rollout.Policy.Number) _trial = new TrialCount(rollout.Policy.Number); // restarted meanwhile
        }
    }

    private async Task ApplyAsync(FleetPolicy? policy, bool isCanary, string how)
    {
        string? why = await hooks.Apply(policy).ConfigureAwait(false);
        string name = policy is null ? "no policy of the fleet" : FormattableString.Invariant($"policy {policy.Number} of {policy.By}");
        lock (_lock)
        {
            if (why is null)
            {
                (_refusedPolicy, _refused) = (null, null);
                Keep(policy is null ? null : new KeptPolicy(policy, isCanary));
                if (isCanary && _rollout is { } rollout && policy?.Number == rollout.Policy.Number) _trial = new TrialCount(rollout.Policy.Number);
            }
            else if (policy is not null)
            {
                (_refusedPolicy, _refused) = (policy, new PolicyRefusal(policy.Number, Line(why)));
            }
        }

        if (why is null) hooks.Tell("fleet", $"{name} is in force{(how.Length > 0 ? ", " : "")}{how}");
        else hooks.Tell("refused", $"{name}: {why}; {(_inForce is { } still ? FormattableString.Invariant($"policy {still.Policy.Number}") : "the file alone")} goes on");
    }

    private void Keep(KeptPolicy? kept)
    {
        _inForce = kept;
        hooks.Keep(kept is null ? null : FleetJson.Write(kept));
    }

    private static string Line(string why) => string.Concat(why.Take(WhyMax).Select(c => char.IsControl(c) ? ' ' : c));

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // From its first look on.
    private sealed class TrialCount(long policy)
    {
        private long _began;
        private long _looked;
        private long _deathsBefore;
        private double _flowSeconds;
        private bool _hasBegun;

        public Trial? Told { get; private set; }

        public void Look(long now, int open, long deaths, TimeProvider time)
        {
            if (!_hasBegun) (_hasBegun, _began, _looked, _deathsBefore) = (true, now, now, deaths);
            _flowSeconds += open * time.GetElapsedTime(_looked, now).TotalSeconds;
            _looked = now;
            Told = new Trial(policy, time.GetElapsedTime(_began, now).TotalSeconds, _flowSeconds, deaths - _deathsBefore);
        }
    }
}
