using KeepAlive.Core;

namespace KeepAlive.Paths.Measure;

/// <summary>What a lane of a measurement is to find out.</summary>
public enum LaneKind : byte
{
    /// <summary>Whether a binding lives through a silence: nothing is sent until the server speaks.</summary>
    Silent,

    /// <summary>Whether kernel keepalive of the client's side refreshes a binding.</summary>
    ClientKeepAlive,

    /// <summary>Whether kernel keepalive of the server's side does.</summary>
    ServerKeepAlive,

    /// <summary>Whether application bytes of the client's do.</summary>
    ClientBytes,

    /// <summary>Whether application bytes of the server's do.</summary>
    ServerBytes,
}

/// <summary>Where a lane stands.</summary>
public enum LaneStage : byte
{
    /// <summary>Waits for its turn to connect.</summary>
    Waiting,

    /// <summary>Connects.</summary>
    Opening,

    /// <summary>The silence, or what refreshes it, lasts.</summary>
    Held,

    /// <summary>The server has spoken, or was asked to; it is not heard yet.</summary>
    Due,

    /// <summary>The server was heard: the binding lived.</summary>
    Lived,

    /// <summary>The server was not heard: the binding is gone.</summary>
    Lost,

    /// <summary>The connection was ended by something on the way, before its time.</summary>
    Ended,

    /// <summary>It could not be opened, or nobody needs it any more.</summary>
    Void,
}

/// <summary>How a connection ended that nobody of us ended.</summary>
public enum LaneEnd : byte
{
    /// <summary>In order: FIN.</summary>
    Close,

    /// <summary>RST.</summary>
    Reset,

    /// <summary>The kernel gave up waiting for the other end.</summary>
    Timeout,
}

/// <summary>One connection of a measurement.</summary>
internal sealed class Lane
{
    internal Lane(int number, LaneKind kind, TimeSpan silence) => (Number, Kind, Silence) = (number, kind, silence);

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>What it is to find out.</summary>
    public LaneKind Kind { get; }

    /// <summary>After how much silence the server speaks; zero where it is asked to instead.</summary>
    public TimeSpan Silence { get; }

    /// <summary>Where it stands.</summary>
    public LaneStage Stage { get; internal set; }

    /// <summary>When its silence began.</summary>
    public Instant Since { get; internal set; }

    /// <summary>When the server has spoken, as far as the client can know.</summary>
    public Instant DueAt { get; internal set; }

    /// <summary>How old it was when it <see cref="LaneStage.Ended"/>.</summary>
    public TimeSpan Age { get; internal set; }

    /// <summary>How it ended.</summary>
    public LaneEnd End { get; internal set; }

    /// <summary>Whether nothing more is to be learned of it.</summary>
    public bool IsResolved => Stage is LaneStage.Lived or LaneStage.Lost or LaneStage.Ended or LaneStage.Void;
}
