using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Connections;

/// <summary>A TCP socket of this machine with everything known of its keepalive.</summary>
/// <param name="Socket">What inet_diag says.</param>
/// <param name="Options">Its real options; null when they could not be read, which is not the same as off.</param>
/// <param name="Owners">The processes that hold it; empty when none, or none we may see.</param>
/// <param name="Namespace">The network namespace it lives in.</param>
internal sealed record Connection(SocketRow Socket, SocketOptions? Options, IReadOnlyList<SocketOwner> Owners, NetworkNamespace Namespace);

/// <summary>Where the real options came from, best first.</summary>
public enum OptionSource
{
    /// <summary>One walk of the kernel over all sockets.</summary>
    BpfIterator,

    /// <summary>Borrowed socket by socket, from processes of our own.</summary>
    Pidfd,
}

/// <summary>The answer to "what connections are there?".</summary>
/// <param name="Connections">One per socket.</param>
/// <param name="Source">Where the real options came from.</param>
/// <param name="Notes">What could not be seen and what would show it, one line each.</param>
internal sealed record ConnectionList(IReadOnlyList<Connection> Connections, OptionSource Source, IReadOnlyList<string> Notes);
