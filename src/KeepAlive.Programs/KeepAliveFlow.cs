using KeepAlive.Core;

namespace KeepAlive;

/// <summary>A connection that a <see cref="KeepAliveClock"/> probes when it is idle.</summary>
public sealed class KeepAliveFlow : IDisposable
{
    private readonly KeepAliveClock _clock;
    private readonly object _sender; // an IKeepAliveProbe or a Func<ValueTask>
    private Probe _probe; // the clock's, under its lock
    private long _heard;
    private int _isSending;
    private volatile bool _isDead;
    private CancellationTokenSource? _died;

    internal KeepAliveFlow(KeepAliveClock clock, KeepAlivePolicy policy, object sender, double jitter)
    {
        (_clock, _sender, _heard) = (clock, sender, clock.Now.Ticks);
        _probe = new Probe(policy, ProbeQuestion.PeerAlive, clock.Now, jitter);
    }

    /// <summary>
    /// Cancelled when the peer is dead: no answer through all probes, or a probe could not be sent. Hand it to the reads that wait for the
    /// peer, and close the connection then. Its callbacks run on threads of the pool.
    /// </summary>
    public CancellationToken PeerDied
    {
        get
        {
            CancellationTokenSource died = _died ?? Interlocked.CompareExchange(ref _died, new CancellationTokenSource(), null) ?? _died;
            if (_isDead) died.Cancel(); // it may have died between
            return died.Token;
        }
    }

    /// <summary>Whether the peer is dead. It stays so.</summary>
    public bool IsPeerDead => _isDead;

    /// <summary>For how long nothing has come from the peer, to a <see cref="KeepAliveClock.Tick"/>.</summary>
    public TimeSpan Silence => _clock.Now - new Instant(Volatile.Read(ref _heard));

    /// <summary>Why a probe could not be sent, where that was the end; else null.</summary>
    public Exception? Fault { get; private set; }

    internal ScheduleEntry Entry { get; set; }

    internal Instant Deadline => _probe.Deadline;

    /// <summary>Something came from the peer. A load and a store: call it for each read.</summary>
    public void Touch() => Volatile.Write(ref _heard, _clock.Now.Ticks);

    /// <summary>Ends the watch: no more probes, and <see cref="PeerDied"/> stays as it is. Twice is harmless.</summary>
    public void Dispose() => _clock.Forget(this);

    /// <summary>Under the clock's lock.</summary>
    internal void OnDeadline(Instant now)
    {
        _probe.OnReceived(new Instant(Volatile.Read(ref _heard)));
        switch (_probe.OnDeadline(now))
        {
            case ProbeEffect.SendProbe:
                _probe.OnProbeSent(now);
                // One that still hangs is not sent again, and counts: the peer takes nothing in.
                if (Interlocked.Exchange(ref _isSending, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(static flow => flow.Send(), this, preferLocal: false);
                break;
            case ProbeEffect.GiveUp:
                ThreadPool.UnsafeQueueUserWorkItem(static flow => flow.Die(null), this, preferLocal: false);
                break;
        }
    }

    // Nobody waits for it: everything that can go wrong is caught in it.
    private async void Send()
    {
        try
        {
            Telemetry.Probes.Add(1);
            if (_sender is IKeepAliveProbe probe) await probe.SendProbeAsync().ConfigureAwait(false);
            else await ((Func<ValueTask>)_sender)().ConfigureAwait(false);
            Volatile.Write(ref _isSending, 0);
        }
        catch (Exception e)
        {
            Die(e);
        }
    }

    private void Die(Exception? fault)
    {
        if (!_clock.Forget(this)) return; // its end was told already, or its owner has let go of it
        Fault = fault;
        _isDead = true;
        Telemetry.PeersDied.Add(1);
        Interlocked.CompareExchange(ref _died, null, null)?.Cancel();
    }
}
