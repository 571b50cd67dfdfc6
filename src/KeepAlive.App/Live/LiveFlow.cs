using KeepAlive.App.Events;
using KeepAlive.Core;

namespace KeepAlive.App.Live;

/// <summary>Where a flow stands, for people.</summary>
internal enum LiveFlowState : byte
{
    Opening,
    Alive,
    Probing,
    Dead,
    Closed,
}

/// <summary>What a mark on a flow's line of time stands for.</summary>
internal enum MarkKind : byte
{
    Sent,
    Answered,
    Withheld,
    Data,
    Died,
    Notice,
}

/// <summary>A point on a flow's line of time.</summary>
internal readonly record struct Mark(Instant At, MarkKind Kind, Leg? Leg);

/// <summary>What is known of one flow. Seen to by <see cref="LiveFlows"/>, under its lock.</summary>
internal sealed class LiveFlow(long id, string gateway, Instant openedAt)
{
    /// <summary>A few probes of each leg, and what came between.</summary>
    public const int MarksMax = 32;

    private readonly Queue<Mark> _marks = new(4);
    private bool _isLastData;

    public long Id => id;

    /// <summary>By the name of its gateway.</summary>
    public string Gateway => gateway;

    public Instant OpenedAt { get; } = openedAt;

    /// <summary>What its gateway said of itself; null where that has not been heard.</summary>
    public ListeningTold? Told { get; set; }

    public string Client { get; set; } = "";

    public string Server { get; set; } = "";

    public Instant? EndedAt { get; set; }

    public LiveFlowState State { get; set; }

    /// <summary>From here on only the kernel's keepalive is left.</summary>
    public bool IsPlain { get; set; }

    public int Sent { get; set; }

    public int Answered { get; set; }

    public int Unanswered { get; set; }

    /// <summary>The kernel's own, which are seen only while somebody looks.</summary>
    public int KernelUnanswered { get; set; }

    public Instant ClientHeard { get; set; } = openedAt;

    public Instant ServerHeard { get; set; } = openedAt;

    /// <summary>When bytes last went from one end to the other.</summary>
    public Instant Relayed { get; set; } = openedAt;

    public long BytesUp { get; set; }

    public long BytesDown { get; set; }

    public TimeSpan? RoundTrip { get; set; }

    /// <summary>The last thing that happened, in words.</summary>
    public string Text { get; set; } = "";

    /// <summary>When it was changed, by the count of <see cref="LiveFlows"/>.</summary>
    public long Changed { get; set; }

    /// <summary>When only its silence or bytes were.</summary>
    public long FactsChanged { get; set; }

    public IReadOnlyCollection<Mark> Marks => _marks;

    /// <summary>On which layer it is kept alive.</summary>
    public string Layer => IsPlain || Told is null ? "tcp" : Told.Protocol;

    /// <summary>What keeps it alive.</summary>
    public KeepAliveSpec? Spec => Told is null ? null : Layer == "tcp" ? Told.Tcp.Spec : Told.Probe;

    public void Add(Mark mark)
    {
        if (_marks.Count >= MarksMax) _marks.Dequeue();
        _marks.Enqueue(mark);
        _isLastData = mark.Kind == MarkKind.Data;
    }

    /// <summary>Bytes came: one mark until something else happens.</summary>
    /// <returns>Whether it is a new one.</returns>
    public bool AddData(Instant at, Leg leg)
    {
        if (_isLastData) return false;
        Add(new Mark(at, MarkKind.Data, leg));
        return true;
    }
}
