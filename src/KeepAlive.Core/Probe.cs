namespace KeepAlive.Core;

/// <summary>The question a <see cref="Probe"/> keeps asking. They differ in what restarts the clock.</summary>
internal enum ProbeQuestion
{
    /// <summary>Is the peer alive? Restarted by hearing from it; silence through all probes means dead.</summary>
    PeerAlive,

    /// <summary>Is the middlebox's binding fresh? Restarted by traffic either way; never gives up.</summary>
    BindingFresh,
}

/// <summary>Where a peer stands.</summary>
internal enum ProbePhase
{
    /// <summary>Heard from since the last probe, or not probed yet.</summary>
    Alive,

    /// <summary>One or more probes are out and unanswered.</summary>
    Probing,

    /// <summary>Every probe stayed unanswered. Final.</summary>
    Dead,
}

/// <summary>What a <see cref="Probe"/> wants done.</summary>
internal enum ProbeEffect
{
    /// <summary>Nothing is due.</summary>
    None,

    /// <summary>Send a probe, then tell what became of it.</summary>
    SendProbe,

    /// <summary>The peer is dead: close the flow.</summary>
    GiveUp,
}

/// <summary>
/// RFC 1122 keepalive (section 4.2.3.6) as a machine without clock or I/O: Alive → Probing(n) → Dead.
/// It is told facts with the time they happened at, and answers with an effect.
/// </summary>
/// <remarks>
/// <para>
/// Same inputs as the Linux kernel's timer give the same probe times (net/ipv4/tcp_timer.c,
/// tcp_keepalive_timer): the first probe <c>idle</c> after the last thing heard, the next ones
/// <c>interval</c> apart and never closer, the verdict one interval after the last of them. With an interval longer than
/// idle the first probe after an answer waits for it too, so that the verdict may take interval + count × interval.
/// </para>
/// <para>
/// Told of traffic it does one store, so a schedule need not be touched: when an old deadline comes up,
/// ask <see cref="Deadline"/> again. When it wants a probe sent, tell it one of <see cref="OnProbeSent"/>
/// (an answer must come), <see cref="OnRefreshSent"/> (none is due, or none can be told apart) or
/// <see cref="OnWithheld"/>; told nothing, it asks again after an interval.
/// </para>
/// <para>
/// Its policy never changes: <see cref="With"/> makes the machine that goes on under another one, knowing what this one knew.
/// </para>
/// A mutable struct, to live inside its flow: pass it by reference.
/// </remarks>
internal struct Probe
{
    // Jitter shortens idle by up to a tenth: probes of many flows spread out, and no promise made
    // to a middlebox or about detection time is broken, as it would be by lengthening.
    private const double JitterMax = 0.1;

    private readonly KeepAlivePolicy _policy;
    private readonly TimeSpan _idle;
    private readonly ProbeQuestion _question;
    private bool _dead;
    private int _sinceHeard;
    private Instant _lastReceived;
    private Instant _lastSent;
    private Instant _lastProbe;
    private Instant _notBefore;

    /// <summary>A peer believed alive at <paramref name="now"/>.</summary>
    /// <param name="policy">Idle, count and interval.</param>
    /// <param name="question">What restarts the clock.</param>
    /// <param name="now">When the flow was last known good.</param>
    /// <param name="jitter">0 to 1: which part of the greatest jitter, a tenth of idle, to take off idle. 0 keeps exact times.</param>
    /// <exception cref="ArgumentOutOfRangeException">The jitter is outside 0 to 1.</exception>
    public Probe(KeepAlivePolicy policy, ProbeQuestion question, Instant now, double jitter = 0)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (jitter is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(jitter), jitter, "jitter is 0 to 1");
        _policy = policy;
        _idle = policy.Idle - (policy.Idle * (JitterMax * jitter));
        _question = question;
        _lastReceived = _lastSent = now;
        _lastProbe = _notBefore = Instant.Zero;
    }

    private Probe(in Probe before, KeepAlivePolicy policy)
    {
        this = before;
        _policy = policy;
        _idle = policy.Idle * (before._idle / before._policy.Idle);
    }

    /// <summary>Probes begun in the middle of a flow: the peer has been silent since <paramref name="heard"/>, whether long enough or not.</summary>
    public static Probe Begun(KeepAlivePolicy policy, ProbeQuestion question, Instant heard, Instant now, double jitter = 0)
    {
        var probe = new Probe(policy, question, heard, jitter);
        probe.Spread(now, Instant.Never);
        return probe;
    }

    /// <summary>What goes on in its place under another policy. Not between <see cref="ProbeEffect.SendProbe"/> and what became of it.</summary>
    /// <remarks>
    /// Kept: when the peer was heard, which probes are out, the part of the jitter, and that it is dead. So a peer that is Probing(n) stays
    /// so: its next probe, or the verdict when n is the new count or more, comes one new interval after the last probe, and not before the
    /// new idle time is over. A probe that was withheld or needed no answer is due again one new idle time after that. What is overdue by
    /// the new numbers comes within the jitter's part of idle from now: all flows of a gateway get another policy at once.
    /// </remarks>
    public readonly Probe With(KeepAlivePolicy policy, Instant now)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (_dead) return this;
        var next = new Probe(this, policy);
        if (_notBefore != Instant.Zero)
        {
            bool isProbePause = _notBefore == _lastProbe + Pause;
            next._notBefore = isProbePause ? _lastProbe + next.Pause : Instant.Max(_lastProbe + next.Pause, new Instant(_notBefore.Ticks - _idle.Ticks) + next._idle);
        }

        next.Spread(now, Deadline);
        return next;
    }

    /// <summary>Bytes came from the peer: any bytes prove it alive.</summary>
    public void OnReceived(Instant now) => _lastReceived = now;

    /// <summary>Bytes went to the peer.</summary>
    public void OnSent(Instant now) => _lastSent = now;

    /// <summary>A probe went out that the peer must answer: it counts until something is heard.</summary>
    public void OnProbeSent(Instant now)
    {
        _sinceHeard = Unanswered + 1;
        _lastProbe = _lastSent = now;
        _notBefore = now + Pause;
    }

    /// <summary>A probe went out that keeps the path warm but proves nothing by staying unanswered.</summary>
    public void OnRefreshSent(Instant now)
    {
        _lastSent = now;
        _notBefore = now + _idle;
    }

    /// <summary>No probe may be sent now. Asked again after idle, as the kernel does while data is unacknowledged.</summary>
    public void OnWithheld(Instant now) => _notBefore = now + _idle;

    /// <summary>Time has come to <paramref name="now"/>: what is due? Early calls are harmless.</summary>
    public ProbeEffect OnDeadline(Instant now)
    {
        if (_dead || now < Deadline) return ProbeEffect.None;
        if (_question == ProbeQuestion.PeerAlive && Unanswered >= _policy.Count)
        {
            _dead = true;
            return ProbeEffect.GiveUp;
        }

        _notBefore = now + Pause;
        return ProbeEffect.SendProbe;
    }

    /// <summary>When <see cref="OnDeadline"/> has something to say, as far as is known now; <see cref="Instant.Never"/> once dead.</summary>
    public readonly Instant Deadline => _dead ? Instant.Never : Instant.Max(QuietSince + _idle, _notBefore);

    /// <summary>Alive, probing or dead.</summary>
    public readonly ProbePhase Phase => _dead ? ProbePhase.Dead : Unanswered > 0 ? ProbePhase.Probing : ProbePhase.Alive;

    /// <summary>Probes sent since the peer was last heard.</summary>
    public readonly int Unanswered => _lastReceived >= _lastProbe ? 0 : _sinceHeard;

    /// <summary>When the peer was last heard.</summary>
    public readonly Instant LastReceived => _lastReceived;

    // Not later than it was due, or changes one after the other would put it off for ever.
    private void Spread(Instant now, Instant due)
    {
        if (Deadline < now) _notBefore = Instant.Min(now + (_policy.Idle - _idle), Instant.Max(now, due));
    }

    // A binding knows no probes: an interval longer than idle must not let it expire.
    private readonly TimeSpan Pause => _question == ProbeQuestion.BindingFresh && _idle < _policy.Interval ? _idle : _policy.Interval;

    private readonly Instant QuietSince =>
        _question == ProbeQuestion.PeerAlive ? _lastReceived : Instant.Max(_lastReceived, _lastSent);
}
