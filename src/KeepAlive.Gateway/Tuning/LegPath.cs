using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Tuning;

/// <summary>A path as flows use it.</summary>
internal sealed class KnownPath(PathTuner? tuner, KeepAlivePolicy start)
{
    /// <summary>Null where it is not tuned.</summary>
    public PathTuner? Tuner => tuner;

    /// <summary>What its flows are to have.</summary>
    public KeepAlivePolicy Policy => tuner?.Policy ?? start;
}

/// <summary>One leg of a flow on its path: which policy it lives under, since when, and which idle times it has lived through.</summary>
internal sealed class LegPath(KnownPath path, Instant now)
{
    // The kernel's times are milliseconds, and ours are taken a moment later.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(50);

    private KeepAlivePolicy? _before;
    private Instant _since = now;
    private Instant _counted = now;
    private bool _hasLived;

    // Of the last idle time lived through: when something was said before it, and the answer to the probe.
    private Instant _spoken = Instant.Zero;
    private Instant _answered = Instant.Zero;

    public KnownPath Path => path;

    public KeepAlivePolicy Under { get; private set; } = path.Policy;

    /// <summary>It has another policy from now on.</summary>
    public void Change(KeepAlivePolicy policy, Instant now)
    {
        (_before, Under, _since) = (Under, policy, now);
        (_counted, _hasLived) = (now, false);
    }

    /// <summary>Looks whether it has lived through an idle time since it was last asked: the answer to a probe came in, as late as only that is.</summary>
    public TuneStep? OnLook(PeerContact? seen, Instant now)
    {
        if (path.Tuner is not { } tuner || seen is not { } contact) return null;
        Instant spoken = Instant.Max(At(contact.SinceSent, now), At(contact.SinceData, now));
        Instant answered = At(contact.SinceAck, now);
        if (answered - Instant.Max(spoken, _counted) < Under.Idle - Slack) return null;
        (_counted, _spoken, _answered) = (answered, spoken, answered);
        int flows = _hasLived ? 0 : 1;
        _hasLived = true;
        return tuner.OnLived(Under, flows);
    }

    /// <summary>It broke.</summary>
    /// <param name="silence">How long it had been silent, and when it was heard last: before a change, it lived under the policy before that.</param>
    /// <param name="floor">A shorter silence is no idle time: data was under way.</param>
    public TuneStep? OnBroken(IdleSilence silence, TimeSpan floor)
    {
        KeepAlivePolicy under = silence.Heard < _since ? _before ?? Under : Under;
        bool wasAnswering = WasAnswering(silence);
        // Programs that end by a reset are many. A path that does so while probes are answered shows it by data, too.
        if (wasAnswering && !silence.IsAsked) return null;
        TimeSpan length = wasAnswering ? silence.Heard + silence.Length - _spoken : silence.Length;
        return length < floor && length < under.Idle ? null : path.Tuner?.OnBroken(under, FlowTexts.Round(length));
    }

    // Whether the last that was heard was the answer to a probe: something answers them, and the binding is gone all the same.
    private bool WasAnswering(IdleSilence silence)
    {
        TimeSpan pause = Under.Idle > Under.Interval ? Under.Idle : Under.Interval;
        return _answered != Instant.Zero && silence.Received <= _spoken + Slack && silence.Heard <= _answered + pause + LegKeepAlive.LookEvery(Under.DetectionTime);
    }

    private static Instant At(TimeSpan ago, Instant now) => new(now.Ticks - ago.Ticks);
}
