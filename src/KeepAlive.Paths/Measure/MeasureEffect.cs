namespace KeepAlive.Paths.Measure;

/// <summary>What a <see cref="Measurement"/> wants done with a lane.</summary>
public enum LaneAction
{
    /// <summary>Connect it, and have it held.</summary>
    Open,

    /// <summary>Have the server speak on it.</summary>
    Speak,

    /// <summary>Say something on it.</summary>
    Say,

    /// <summary>Ask what the server has seen of it.</summary>
    AskState,

    /// <summary>End it, on both sides.</summary>
    Drop,
}

/// <summary>What is to be done next.</summary>
/// <param name="Action">What.</param>
/// <param name="Lane">With which lane.</param>
internal readonly record struct MeasureEffect(LaneAction Action, Lane Lane);

/// <summary>What both ends know of a lane.</summary>
/// <param name="SegmentsIn">Segments that came to the server; null where its kernel does not tell.</param>
/// <param name="BytesIn">Bytes that came to the server since the lane is held.</param>
/// <param name="IsAnswered">Whether the client's keepalive probes have been answered so far; null where its kernel does not tell.</param>
internal readonly record struct LaneState(long? SegmentsIn, long BytesIn, bool? IsAnswered);
