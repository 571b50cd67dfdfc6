namespace KeepAlive.Fleet.Etcd;

/// <summary>What is to be thought of a call that failed at one endpoint.</summary>
internal enum CallOutcome
{
    /// <summary>etcd has decided: the others would say the same.</summary>
    Refused,

    /// <summary>Certainly not done: another endpoint may do it, a write too.</summary>
    NotDone,

    /// <summary>It was sent, and nobody knows.</summary>
    Unknown,

    /// <summary>Not done, as the token is not valid (any more).</summary>
    TokenInvalid,
}

/// <summary>A call failed at one endpoint. The message does not name it.</summary>
internal sealed class EtcdCallException(EtcdFault fault, CallOutcome outcome, string why, Exception? inner = null) : Exception(why, inner)
{
    public EtcdFault Fault { get; } = fault;

    public CallOutcome Outcome { get; } = outcome;

    /// <summary>The same, for who asked: named by whom.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="isWrite">Whether it matters that it may have been done.</param>
    public EtcdException At(Uri endpoint, bool isWrite = false) => Of([(endpoint, this)], isWrite);

    /// <summary>What several endpoints came to: the fault is the one that says most.</summary>
    public static EtcdException Of(IReadOnlyList<(Uri Endpoint, EtcdCallException Failure)> failures, bool isWrite)
    {
        EtcdCallException worst = failures.Select(f => f.Failure).MinBy(f => Rank(f.Fault))!;
        IEnumerable<string> told = from failure in failures
                                   group NameOf(failure.Endpoint) by failure.Failure.Message into alike
                                   select $"etcd at {string.Join(", ", alike)}: {alike.Key}";
        bool isUnknown = isWrite && failures.Any(f => f.Failure.Outcome == CallOutcome.Unknown);
        return new EtcdException(worst.Fault, string.Join("; ", told) + (isUnknown ? "; whether it was written is not known" : ""), worst);
    }

    /// <summary>An endpoint without its user information.</summary>
    public static string NameOf(Uri endpoint) => endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    // Who answers but has no quorum is nearer to what is wrong than who does not answer; and a wrong certificate than a wrong port.
    private static int Rank(EtcdFault fault) => fault switch
    {
        EtcdFault.Unreachable => 4,
        EtcdFault.NotEtcd => 3,
        EtcdFault.Certificate => 2,
        EtcdFault.NoLeader => 1,
        _ => 0,
    };
}
