namespace KeepAlive.Fleet.Etcd;

/// <summary>Where etcd is, and who asks.</summary>
internal sealed record EtcdOptions
{
    /// <summary>http or https, without a path; asked in turn.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>Who asks, where etcd has authentication; null: nobody.</summary>
    public string? User { get; init; }

    /// <summary>The user's password, asked for at each login; never kept, logged or told.</summary>
    public Func<string>? Password { get; init; }

    /// <summary>PEM: who signs etcd's certificates; null: whom this machine trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM: our own certificate, where etcd asks for one.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM: its key; null where it is in the same file.</summary>
    public string? KeyFile { get; init; }

    /// <summary>The longest that one call may take at one endpoint. A watch lasts.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// After so long a silence of a watch its node is asked whether it still answers: a frozen one does not, though its kernel acknowledges
    /// every probe, and etcd 3.4 gives a sign of life every ten minutes only.
    /// </summary>
    public TimeSpan WatchSilence { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>A key and what stands there.</summary>
/// <param name="Key">UTF-8.</param>
/// <param name="Value">Whatever somebody wrote: not to be trusted.</param>
/// <param name="Created">The revision that made it.</param>
/// <param name="Modified">The revision that wrote it last.</param>
/// <param name="Lease">What it lives as long as; 0 for nothing.</param>
internal sealed record EtcdEntry(string Key, byte[] Value, long Created, long Modified, long Lease);

/// <summary>What to read.</summary>
/// <param name="Key">The key, or what keys begin with.</param>
internal sealed record EtcdQuery(string Key)
{
    /// <summary>Every key that begins so.</summary>
    public bool IsPrefix { get; init; }

    /// <summary>Of a prefix: only keys after this one, in the order asked for, for the next page.</summary>
    public string? After { get; init; }

    /// <summary>At most so many entries; 0 for all.</summary>
    public long Limit { get; init; }

    /// <summary>Only what was written in this revision or later; 0 for all.</summary>
    public long ModifiedSince { get; init; }

    /// <summary>Highest keys first.</summary>
    public bool IsDescending { get; init; }

    /// <summary>How many there are, and none of them.</summary>
    public bool IsCount { get; init; }
}

/// <summary>What was read.</summary>
/// <param name="Revision">Of the whole store: what a watch goes on from is the next.</param>
/// <param name="Entries">By key.</param>
/// <param name="Count">How many there are, whatever the limit.</param>
internal sealed record EtcdRange(long Revision, IReadOnlyList<EtcdEntry> Entries, long Count);

/// <summary>What has to hold for a commit.</summary>
/// <param name="Key">Of this key.</param>
/// <param name="Modified">It was written last by this revision; 0: it is not there.</param>
internal sealed record EtcdCondition(string Key, long Modified)
{
    /// <summary>Instead: it lives under this lease.</summary>
    public long? Lease { get; init; }
}

/// <summary>A part of a commit.</summary>
/// <param name="Key">What is written or deleted.</param>
/// <param name="Value">Null: deleted.</param>
/// <param name="Lease">What it lives as long as; 0 for nothing.</param>
internal sealed record EtcdWrite(string Key, byte[]? Value, long Lease = 0);

/// <summary>What became of a commit.</summary>
/// <param name="Done">All of it, or, as a condition did not hold, nothing.</param>
/// <param name="Revision">Of the store after it.</param>
internal sealed record EtcdCommit(bool Done, long Revision);

/// <summary>What a watch tells at once: all changes of one revision, or of several; first of all, that it stands.</summary>
/// <param name="Revision">To go on from after a break: the next one.</param>
/// <param name="Changes">In their order; none when the watch has begun, and in a sign of life.</param>
internal sealed record EtcdNews(long Revision, IReadOnlyList<EtcdChange> Changes);

/// <summary>A key was written or deleted.</summary>
/// <param name="Key">Which.</param>
/// <param name="Entry">Null: deleted.</param>
internal sealed record EtcdChange(string Key, EtcdEntry? Entry);

/// <summary>Why a call was of no use.</summary>
internal enum EtcdFault
{
    /// <summary>No endpoint answers, in time or at all.</summary>
    Unreachable,

    /// <summary>One answers, but the cluster has no quorum.</summary>
    NoLeader,

    /// <summary>TLS: whose certificates these are.</summary>
    Certificate,

    /// <summary>The user, the password, or what the user may do.</summary>
    Denied,

    /// <summary>The revision that was asked for is gone: read anew.</summary>
    Compacted,

    /// <summary>The lease is gone: take another.</summary>
    LeaseGone,

    /// <summary>etcd's database is full (NOSPACE).</summary>
    NoSpace,

    /// <summary>More than etcd takes in one request (1.5 MiB unless changed).</summary>
    TooLarge,

    /// <summary>What answers is no etcd, or not one that we can speak with.</summary>
    NotEtcd,
}

/// <summary>etcd could not do it: one line, with what to do.</summary>
internal sealed class EtcdException(EtcdFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public EtcdFault Fault { get; } = fault;
}
