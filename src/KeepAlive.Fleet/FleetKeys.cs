namespace KeepAlive.Fleet;

/// <summary>Where a fleet's things stand in etcd.</summary>
/// <remarks>
/// <code>
/// /keepalive/NAME/policy/current     the policy in force                          ┐ watched by every daemon
/// /keepalive/NAME/policy/rollout     a policy on its way, while it is             │
/// /keepalive/NAME/policy/judge       who decides about it, under its lease        ┘
/// /keepalive/NAME/history/000000012  every policy and what became of it; never overwritten by a later one, so that
///                                    compaction, which forgets revisions, does not forget who set what when
/// /keepalive/NAME/machines/MACHINE   presence and digest, under the machine's lease
/// /keepalive/NAME/size               how many machines there are, from 1,000 on; counted by whoever finds it old
/// /keepalive/NAME/paths/NET/PREFIX   what somebody has measured                     watched by every daemon
/// /keepalive/NAME/measuring/NET/...  who measures it just now, under its lease
/// </code>
/// </remarks>
internal sealed record FleetKeys(string Fleet)
{
    public const string DefaultFleet = "default";

    // etcd has no limit of its own below the request's; names are printed in columns.
    private const int NameMax = 63;

    public string Root => $"/keepalive/{Fleet}/";

    public string PolicyPrefix => Root + "policy/";

    public string Current => PolicyPrefix + "current";

    public string Rollout => PolicyPrefix + "rollout";

    public string Judge => PolicyPrefix + "judge";

    public string HistoryPrefix => Root + "history/";

    public string MachinePrefix => Root + "machines/";

    public string Size => Root + "size";

    public string PathPrefix => Root + "paths/";

    public string MeasuringPrefix => Root + "measuring/";

    public string History(long policy) => FormattableString.Invariant($"{HistoryPrefix}{policy:D9}");

    public string Machine(string name) => MachinePrefix + name;

    public string Path(string path) => PathPrefix + path;

    public string Measuring(string path) => MeasuringPrefix + path;

    /// <summary>Whether it can be a fleet's or a machine's name: letters, digits, dots, dashes and underscores, at most 63, none of the first two leading it out of its place.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= NameMax && text is not ("." or "..") && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
