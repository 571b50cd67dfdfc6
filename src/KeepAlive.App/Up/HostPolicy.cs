using KeepAlive.App.Connections;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Settings;

namespace KeepAlive.App.Up;

/// <summary>What a host policy does.</summary>
internal enum HostMode
{
    /// <summary>Tells what it would change.</summary>
    Observe,

    /// <summary>Changes it.</summary>
    Apply,
}

/// <summary>Keepalive for connections of other programs: all that is said about them has to fit.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Filter">By port and peer.</param>
/// <param name="Process">By the name of a process that holds it; null for any.</param>
/// <param name="User">By its user; null for any.</param>
/// <param name="Cgroup">By the cgroup of a process that holds it, such as <c>/system.slice</c>; null for any.</param>
/// <param name="Settings">What they are to have.</param>
/// <param name="Mode">Whether they get it.</param>
internal sealed record HostPolicy(string Name, ConnectionFilter Filter, string? Process, uint? User, string? Cgroup, SocketSettings Settings, HostMode Mode)
{
    /// <summary>As it was asked for.</summary>
    public required KeepAliveSpec Spec { get; init; }

    // The kernel keeps so much of a name (TASK_COMM_LEN).
    private const int CommandCharsMax = 15;

    public bool Matches(Connection connection, Func<int, string?> cgroupOf)
    {
        if (!Filter.Contains(connection) || (User is { } user && connection.Socket.Uid != user)) return false;
        if (Process is { } process && !connection.Owners.Any(o => o.Command == process[..Math.Min(process.Length, CommandCharsMax)])) return false;
        return Cgroup is not { } cgroup || connection.Owners.Any(o => cgroupOf(o.Pid) is { } its && (its == cgroup || its.StartsWith(cgroup + "/", StringComparison.Ordinal)));
    }
}
