using KeepAlive.Core;

namespace KeepAlive.Paths.Measure;

/// <summary>Whether keepalive probes arrive at the server: looked at twice, before the shortest timeout there is to be found.</summary>
internal sealed class CrossingWitness
{
    // Between them the client's kernel has probed twice.
    private static readonly TimeSpan FirstLook = 0.5 * MeasureOptions.RefreshEvery;
    private static readonly TimeSpan SecondLook = 2.8 * MeasureOptions.RefreshEvery;

    private int _asked;
    private int _told;
    private long? _segments;

    public Answer Crosses { get; private set; }

    public bool IsPending(Lane lane) => !lane.IsResolved && _told < 2;

    public Instant Deadline(Lane lane) => lane.Stage != LaneStage.Held || _asked == 2 ? Instant.Never : lane.Since + (_asked == 0 ? FirstLook : SecondLook);

    public void Advance(Lane lane, Instant now, Action<LaneAction, Lane> want)
    {
        if (now < Deadline(lane)) return;
        _asked++;
        want(LaneAction.AskState, lane);
    }

    public void OnState(LaneState state)
    {
        _told++;
        if (_told == 2 && state.SegmentsIn > _segments) Crosses = Answer.Yes;
        else if (_told == 2 && state.SegmentsIn == _segments && state.SegmentsIn is not null && state.IsAnswered == true) Crosses = Answer.No;
        _segments = state.SegmentsIn;
    }
}
