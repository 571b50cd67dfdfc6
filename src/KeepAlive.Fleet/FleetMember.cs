using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Fleet;

/// <summary>
/// A machine's place in its fleet: present under a lease, following the policy, telling what it sees. While etcd is away nothing
/// changes but that it is said.
/// </summary>
/// <remarks>
/// <code>
/// Join ─ lease, presence ─▶ Read ─ policies, new paths ────▶ ┬ watch policies ─▶ PolicyFollower ─▶ FleetHooks.Apply
///   ▲       (only what is gone)                              ├ watch paths ────▶ FleetHooks.Learn
///   └── back-off ◀── any of them fails ◀─────────────────────┤ renew the lease
///                                                            ├ tell the digest
///                                                            └ judge a rollout, if nobody else does
/// </code>
/// After a break what has changed is read, and the watches go on from there. They could go on from where they were, but etcd would look
/// for what was missed in all that was written since, by everybody, for each 512 watches anew (3.4's <c>syncWatchers</c>), and would
/// write nothing meanwhile. And all wait a while that grows with the fleet: who lost etcd together does not come back together.
/// </remarks>
internal sealed class FleetMember(EtcdClient etcd, FleetStore store, string machine, FleetHooks hooks, TimeProvider time, Random random)
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly FleetKeys _keys = store.Keys;
    private readonly PolicyFollower _follower = new(store.Keys, machine, hooks, time);
    private readonly BackOff _backOff = new(random);
    private readonly PresenceText _presence = new();
    private FleetPace _pace = new(1);
    private long _lease;
    private TimeSpan _leaseLife;
    private long _policyRevision;
    private long _pathRevision;
    private bool _hasBroken;
    private bool _isAway;
    private volatile bool _isJoined;

    /// <summary>Whether etcd answers.</summary>
    public bool IsJoined => _isJoined;

    /// <summary>Until it is stopped; the policy of the last time is in force before etcd is asked.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await _follower.StartAsync().ConfigureAwait(false);
        Task following = FollowAsync(stop);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await SessionAsync(stop).ConfigureAwait(false);
                await WaitAsync(NextAttempt(), stop).ConfigureAwait(false); // a watch that was ended politely is ended all the same
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (EtcdException e)
            {
                _isJoined = false;
                _presence.Forget(); // whether the last one was written is not known
                OnBroken(e);
                await WaitAsync(NextAttempt(), stop).ConfigureAwait(false);
            }
        }

        await following.ConfigureAwait(false);
        await LeaveAsync().ConfigureAwait(false);
    }

    /// <summary>Takes a path for measuring it: nobody else does until it is released, or this machine is gone.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<bool> TryClaimAsync(string path, CancellationToken cancel) =>
        _isJoined && (await etcd.CommitAsync([new EtcdCondition(_keys.Measuring(path), 0)], [new EtcdWrite(_keys.Measuring(path), Name(), _lease)], cancel).ConfigureAwait(false)).Done;

    /// <summary>It is measured, or could not be.</summary>
    /// <exception cref="EtcdException">etcd could not; the claim goes with the lease then.</exception>
    public Task ReleaseAsync(string path, CancellationToken cancel) =>
        etcd.CommitAsync([new EtcdCondition(_keys.Measuring(path), 0) { Lease = _lease }], [new EtcdWrite(_keys.Measuring(path), null)], cancel);

    /// <summary>Tells the others of a path.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public Task ShareAsync(string path, byte[] value, CancellationToken cancel) => etcd.CommitAsync([], [new EtcdWrite(_keys.Path(path), value)], cancel);

    /// <summary>What stands of a path just now; null for nothing.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<byte[]?> PathAsync(string path, CancellationToken cancel) =>
        (await etcd.ReadAsync(new EtcdQuery(_keys.Path(path)), cancel).ConfigureAwait(false)).Entries is [var entry] ? entry.Value : null;

    private async Task SessionAsync(CancellationToken stop)
    {
        await JoinAsync(stop).ConfigureAwait(false);
        await ReadAsync(stop).ConfigureAwait(false);
        OnJoined();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] parts =
        [
            WatchPoliciesAsync(over.Token), WatchPathsAsync(over.Token), RenewAsync(over.Token), TellAsync(over.Token), JudgeAsync(over.Token),
        ];
        Task first = await Task.WhenAny(parts).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(parts).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        await first.ConfigureAwait(false);
    }

    // The lease of before is renewed where it can be: then nobody saw us go.
    private async Task JoinAsync(CancellationToken stop)
    {
        if (_lease != 0)
        {
            try
            {
                await etcd.RenewAsync(_lease, stop).ConfigureAwait(false);
                return;
            }
            catch (EtcdException e) when (e.Fault == EtcdFault.LeaseGone)
            {
                _lease = 0;
            }
        }

        _pace = new FleetPace(await store.SizeAsync(stop).ConfigureAwait(false) + 1);
        TimeSpan life = _pace.Life;
        long lease = await etcd.GrantAsync(life, stop).ConfigureAwait(false);
        byte[] digest = _presence.Next(_follower.Fill(hooks.Digest())) ?? _presence.Last;
        await etcd.CommitAsync([], [new EtcdWrite(_keys.Machine(machine), digest, lease)], stop).ConfigureAwait(false);
        (_lease, _leaseLife) = (lease, life);
    }

    // A fleet that has grown wants its leases renewed more rarely than the one of before lives.
    private async Task LengthenLeaseAsync(CancellationToken stop)
    {
        (long before, TimeSpan life) = (_lease, _pace.Life);
        if (life < 1.5 * _leaseLife) return;
        long lease = await etcd.GrantAsync(life, stop).ConfigureAwait(false);
        string key = _keys.Machine(machine);
        await etcd.CommitAsync([new EtcdCondition(key, 0) { Lease = before }], [new EtcdWrite(key, _presence.Last, lease)], stop).ConfigureAwait(false);
        (_lease, _leaseLife) = (lease, life); // the one before ends by itself: a renewal of it may be on its way
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        EtcdRange paths = await etcd.ReadAsync(new EtcdQuery(_keys.PathPrefix) { IsPrefix = true, ModifiedSince = _pathRevision + 1 }, stop).ConfigureAwait(false);
        foreach (EtcdEntry entry in paths.Entries) hooks.Learn(entry.Key[_keys.PathPrefix.Length..], entry.Value);
        EtcdRange policies = await etcd.ReadAsync(new EtcdQuery(_keys.PolicyPrefix) { IsPrefix = true }, stop).ConfigureAwait(false);
        _follower.OnRead(policies.Entries);
        (_policyRevision, _pathRevision) = (policies.Revision, paths.Revision);
    }

    private async Task WatchPoliciesAsync(CancellationToken stop)
    {
        await foreach (EtcdNews news in etcd.WatchAsync(_keys.PolicyPrefix, _policyRevision + 1, stop).ConfigureAwait(false))
        {
            foreach (EtcdChange change in news.Changes) _follower.OnChange(change.Key, change.Entry);
            _policyRevision = Math.Max(_policyRevision, news.Revision);
        }
    }

    private async Task WatchPathsAsync(CancellationToken stop)
    {
        await foreach (EtcdNews news in etcd.WatchAsync(_keys.PathPrefix, _pathRevision + 1, stop).ConfigureAwait(false))
        {
            foreach (EtcdChange change in news.Changes)
                if (change.Entry is { } entry) hooks.Learn(entry.Key[_keys.PathPrefix.Length..], entry.Value);
            _pathRevision = Math.Max(_pathRevision, news.Revision);
        }
    }

    private async Task RenewAsync(CancellationToken stop)
    {
        while (true)
        {
            TimeSpan every = _pace.RenewEvery < _leaseLife / 3 ? _pace.RenewEvery : _leaseLife / 3;
            await DelayAsync(every, stop).ConfigureAwait(false);
            await etcd.RenewAsync(_lease, stop).ConfigureAwait(false);
            _backOff.Reset(); // not as soon as a watch stands: an etcd with too much to do lets many begin, and none of them last
        }
    }

    private async Task TellAsync(CancellationToken stop)
    {
        long counted = time.GetTimestamp();
        while (true)
        {
            // A policy that came is told of soon; all machines have one then.
            Task changed = _presence.Changed;
            Task pause = DelayAsync(_pace.DigestEvery, stop);
            await Task.WhenAny(changed, pause).ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            if (changed.IsCompleted) await DelayAsync(_pace.Spread * random.NextDouble(), stop).ConfigureAwait(false);
            await TellOnceAsync(stop).ConfigureAwait(false);
            if (time.GetElapsedTime(counted) < _pace.CountEvery) continue;
            counted = time.GetTimestamp();
            _pace = new FleetPace(await store.SizeAsync(stop).ConfigureAwait(false));
            await LengthenLeaseAsync(stop).ConfigureAwait(false);
        }
    }

    private async Task TellOnceAsync(CancellationToken stop)
    {
        if (_presence.Next(_follower.Fill(hooks.Digest())) is not { } digest) return;
        string key = _keys.Machine(machine);
        EtcdCommit commit = await etcd.CommitAsync([new EtcdCondition(key, 0) { Lease = _lease }], [new EtcdWrite(key, digest, _lease)], stop).ConfigureAwait(false);
        if (!commit.Done) await OnNotOursAsync(key, stop).ConfigureAwait(false);
    }

    // Somebody deleted it, or another machine has the same name: it is theirs as long as they are there.
    private async Task OnNotOursAsync(string key, CancellationToken stop)
    {
        _presence.Forget();
        EtcdCommit fresh = await etcd.CommitAsync([new EtcdCondition(key, 0)], [new EtcdWrite(key, _presence.Last, _lease)], stop).ConfigureAwait(false);
        if (!fresh.Done && _presence.IsFirstTime()) hooks.Tell("fleet", $"another daemon calls itself '{machine}', too: 'keepalive fleet list' shows that one, not this; give each its own --machine");
    }

    private async Task JudgeAsync(CancellationToken stop)
    {
        long? waiting = null;
        while (true)
        {
            await DelayAsync(_pace.DigestEvery / 2, stop).ConfigureAwait(false);
            if (_follower.Rollout is not { } rollout)
            {
                waiting = null;
                continue;
            }

            // One of them, and when it is gone another: all ask, but not all at once.
            if (waiting is null) await DelayAsync(_pace.Spread * random.NextDouble(), stop).ConfigureAwait(false);
            waiting ??= time.GetTimestamp();
            if (_follower.JudgeLease is var seated && seated != 0 && seated != _lease) continue; // the watch will tell when it is gone
            EtcdCommit seat = await etcd.CommitAsync([new EtcdCondition(_keys.Judge, 0)], [new EtcdWrite(_keys.Judge, Name(), _lease)], stop).ConfigureAwait(false);
            EtcdRange judge = await etcd.ReadAsync(new EtcdQuery(_keys.Judge), stop).ConfigureAwait(false);
            if (!seat.Done && judge.Entries is not [{ } entry] || judge.Entries is [{ } other] && other.Lease != _lease) continue;
            (RolloutVerdict verdict, string why) = RolloutJudge.Judge(rollout, await store.MachinesAsync(stop).ConfigureAwait(false), time.GetElapsedTime(waiting.Value));
            if (verdict == RolloutVerdict.Wait) continue;
            try
            {
                if (await store.DecideAsync(rollout, verdict == RolloutVerdict.Through, why, stop).ConfigureAwait(false) is { } record)
                    hooks.Tell("fleet", $"policy {record.Policy.Number} of {record.Policy.By} {(verdict == RolloutVerdict.Through ? "goes to all" : "is rolled back")}: {why}");
            }
            catch (FleetException e)
            {
                hooks.Tell("fleet", e.Message);
            }
        }
    }

    // By itself: an etcd that is slow, or away, keeps no policy that has come from being applied.
    private async Task FollowAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(_follower.Wished, Task.Delay(Timeout.Infinite, stop)).ConfigureAwait(false);
            if (stop.IsCancellationRequested) return;
            await _follower.SeeToAsync().ConfigureAwait(false);
            _presence.Hurry();
        }
    }

    private TimeSpan NextAttempt() => _backOff.Next() + (_pace.Spread * random.NextDouble());

    private void OnBroken(EtcdException e)
    {
        switch (e.Fault)
        {
            case EtcdFault.Compacted:
                return; // what it was is read
            case EtcdFault.LeaseGone:
                _lease = 0;
                return;
            default:
                // A member that was killed is no news while another one answers.
                if (_hasBroken && !_isAway) hooks.Tell("fleet-away", $"{e.Message}; what is in force goes on, and it is tried again");
                (_isAway, _hasBroken) = (_hasBroken, true);
                return;
        }
    }

    private void OnJoined()
    {
        _isJoined = true;
        if (_isAway) hooks.Tell("fleet-back", $"etcd answers again, as {machine} of the fleet '{_keys.Fleet}'");
        else if (_presence.IsFirstJoin()) hooks.Tell("fleet", $"{machine} is in the fleet '{_keys.Fleet}' of {_pace.Machines} machine(s)");
        (_isAway, _hasBroken) = (false, false);
    }

    private async Task LeaveAsync()
    {
        if (_lease == 0) return;
        using var limit = new CancellationTokenSource(Farewell);
        try
        {
            await etcd.RevokeAsync(_lease, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EtcdException or OperationCanceledException)
        {
            // It ends by itself.
        }
    }

    private byte[] Name() => System.Text.Encoding.UTF8.GetBytes(machine);

    private Task DelayAsync(TimeSpan span, CancellationToken stop) => Task.Delay(span, time, stop);

    private async Task WaitAsync(TimeSpan span, CancellationToken stop)
    {
        try
        {
            await DelayAsync(span, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopped: seen by the loop.
        }
    }
}
