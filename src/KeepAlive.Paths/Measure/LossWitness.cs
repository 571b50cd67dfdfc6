using KeepAlive.Core;

namespace KeepAlive.Paths.Measure;

/// <summary>One lost lane, spoken on by the client: what does the path do with somebody who does not know that it forgot?</summary>
internal sealed class LossWitness
{
    private Instant _saidAt;
    private TimeSpan _grace;
    private bool _isAsked;

    /// <summary>The lane; null before there was one.</summary>
    public Lane? Said { get; private set; }

    /// <summary>Whether all is known that will be.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whether the client was let through again.</summary>
    public Answer Revives { get; private set; }

    /// <summary>When to come again.</summary>
    public Instant Deadline => Said is null || IsDone ? Instant.Never : _isAsked ? _saidAt + (2 * _grace) : _saidAt + _grace;

    /// <summary>Goes on, once it is sure that flows are lost.</summary>
    public void Advance(Lane[] lost, Instant now, TimeSpan grace, Action<LaneAction, Lane> want)
    {
        if (IsDone) return;
        if (Said is null)
        {
            // One that is lost, and not ended: there is nothing to be said on that one.
            Said = lost.FirstOrDefault(l => l.Stage == LaneStage.Lost);
            if (Said is null) return;
            (_saidAt, _grace) = (now, grace);
            want(LaneAction.Say, Said);
        }
        else if (!_isAsked && now >= _saidAt + _grace)
        {
            _isAsked = true;
            want(LaneAction.AskState, Said);
        }
        else if (now >= _saidAt + (2 * _grace))
        {
            IsDone = true;
        }
    }

    /// <summary>What the server has heard of it.</summary>
    public void OnState(LaneState state)
    {
        if (IsDone) return;
        (Revives, IsDone) = (state.BytesIn > 0 ? Answer.Yes : Answer.No, true);
    }

    /// <summary>The server is heard after all: what was said has opened the way for it.</summary>
    public void OnRevived() => (Revives, IsDone) = (Answer.Yes, true);

    /// <summary>It was ended for what was said.</summary>
    public void OnEnded()
    {
        if (IsDone) return;
        (Revives, IsDone) = (Answer.No, true);
    }
}
