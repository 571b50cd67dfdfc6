using System.Net;
using KeepAlive.Core;

namespace KeepAlive.Gateway.Tuning;

/// <summary>A step of tuning, as it is told.</summary>
/// <param name="Kind">A change or a success is <see cref="FlowEventKind.Tuned"/>, that nothing helps a notice.</param>
/// <param name="Text">The path, what was done, and why.</param>
internal sealed record TuneStep(FlowEventKind Kind, string Text)
{
    /// <summary>What the flows of the path are to have from now on; null when nothing changed.</summary>
    public KeepAlivePolicy? Change { get; init; }

    /// <summary>What is worth keeping.</summary>
    public TunedPath? Holds { get; init; }
}

/// <summary>
/// One path and the <see cref="Tuner"/> that works on it: what is told of each fact, and when a policy holds. No clock, no I/O.
/// </summary>
internal sealed class PathTuner(IPAddress remote, Tuner tuner)
{
    // One may be luck, ten in a row with nothing broken between them are not. Told again at ten times as many, so that what is kept says how sure it is.
    private const int HoldsAfter = 10;

    private long _lived;
    private long _nextTold = HoldsAfter;
    private int _flows;
    private bool _hasChanged;
    private bool _hasGivenUp;

    public KeepAlivePolicy Policy => tuner.Policy;

    public TunerPhase Phase => tuner.Phase;

    /// <summary>A flow broke while idle.</summary>
    /// <returns>What is to be told and done; null when it says nothing, or nothing new.</returns>
    public TuneStep? OnBroken(KeepAlivePolicy under, TimeSpan silence)
    {
        bool isCurrent = under == Policy;
        TunerAdvice advice = tuner.OnBroken(under, silence);
        if (isCurrent || advice.Effect == TunerEffect.Change) (_lived, _flows, _nextTold) = (0, 0, HoldsAfter);
        switch (advice.Effect)
        {
            case TunerEffect.Change:
                (_hasChanged, _hasGivenUp) = (true, false);
                return new TuneStep(FlowEventKind.Tuned, $"{remote}: {advice.Why}; now {advice.Policy}") { Change = advice.Policy };
            case TunerEffect.CannotHelp when !_hasGivenUp:
                _hasGivenUp = true;
                return new TuneStep(FlowEventKind.Notice, $"{remote}: {advice.Why}");
            default:
                return null;
        }
    }

    /// <summary>A flow lived through an idle time.</summary>
    /// <param name="under">The policy it lived under.</param>
    /// <param name="flows">1 for the first idle time of a flow under this policy, 0 for others.</param>
    public TuneStep? OnLived(KeepAlivePolicy under, int flows)
    {
        tuner.OnLived(under);
        if (under != Policy) return null;
        _flows += flows;
        if (++_lived < _nextTold || !_hasChanged || Phase != TunerPhase.Settled) return null;
        _nextTold = _lived * 10;
        return new TuneStep(FlowEventKind.Tuned, $"{remote}: {Policy} holds: {_lived} idle times lived through, by {_flows} flow(s), and none broke")
        {
            Holds = new TunedPath(remote, Policy, _lived, _flows),
        };
    }
}
