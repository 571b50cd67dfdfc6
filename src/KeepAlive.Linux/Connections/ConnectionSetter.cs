using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Connections;

/// <summary>What became of a socket that was to be changed.</summary>
public enum ChangeKind
{
    /// <summary>Set, and read back.</summary>
    Changed,

    /// <summary>It had all of it already; not touched.</summary>
    AlreadySo,

    /// <summary>It ended, or its process closed it, before it could be set.</summary>
    Vanished,

    /// <summary>It could not be set.</summary>
    Refused,
}

/// <summary>A socket before and after.</summary>
/// <param name="Connection">The socket as it was.</param>
/// <param name="After">Its options, read back; null where they could not be.</param>
/// <param name="Kind">What became of it.</param>
/// <param name="Why">Why it was refused; null otherwise.</param>
internal sealed record ConnectionChange(Connection Connection, SocketOptions? After, ChangeKind Kind, string? Why = null);

/// <summary>
/// Sets keepalive on sockets of running programs: in the kernel's walk over all sockets where we may (the processes are
/// not touched), else socket by socket, borrowed from its process. Nothing in the program is stopped or changed.
/// </summary>
internal static class ConnectionSetter
{
    /// <summary>Sets and reads back; one change a connection, in their order.</summary>
    public static IReadOnlyList<ConnectionChange> Apply(SocketSettings settings, IReadOnlyList<Connection> connections, OptionSource source)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(connections);
        var changes = new Dictionary<Connection, ConnectionChange>(ReferenceEqualityComparer.Instance);
        foreach (IGrouping<NetworkNamespace, Connection> place in connections.Where(c => !HasAll(c, settings)).GroupBy(c => c.Namespace))
        {
            List<Connection> here = [.. place];
            foreach (ConnectionChange change in source == OptionSource.BpfIterator ? ApplyInKernel(settings, here, place.Key) : here.Select(c => ApplyBorrowed(settings, c)))
                changes.Add(change.Connection, change);
        }

        return [.. connections.Select(c => changes.TryGetValue(c, out ConnectionChange? change) ? change : new ConnectionChange(c, c.Options, ChangeKind.AlreadySo))];
    }

    /// <summary>What <see cref="Apply"/> would try; nothing is set.</summary>
    public static IReadOnlyList<ConnectionChange> Preview(SocketSettings settings, IReadOnlyList<Connection> connections) =>
        [.. connections.Select(c => new ConnectionChange(c, null, HasAll(c, settings) ? ChangeKind.AlreadySo : ChangeKind.Changed))];

    // A timer armed later than the options say is not as it should be, whatever the options are.
    private static bool HasAll(Connection connection, SocketSettings settings) => connection.Options is { } options && settings.AreIn(options)
        && ConnectionVerdict.Of(connection.Socket, options).Kind != VerdictKind.ArmedLate;

    private static IEnumerable<ConnectionChange> ApplyInKernel(SocketSettings settings, List<Connection> connections, NetworkNamespace place)
    {
        Dictionary<ulong, SocketOptions> after;
        try
        {
            ulong[] cookies = [.. connections.Select(c => c.Socket.Cookie)];
            after = place.Run(() => TcpIterator.Set(cookies, settings.Calls));
        }
        catch (SyscallException e)
        {
            // A namespace ends with its last process, and its sockets with it.
            return connections.Select(c => e.Errno == Errno.ESRCH ? new ConnectionChange(c, null, ChangeKind.Vanished)
                : new ConnectionChange(c, null, ChangeKind.Refused, e.Message));
        }

        return connections.Select(c => after.TryGetValue(c.Socket.Cookie, out SocketOptions? options)
            ? ReadBack(c, options, settings) : new ConnectionChange(c, null, ChangeKind.Vanished));
    }

    private static ConnectionChange ReadBack(Connection connection, SocketOptions options, SocketSettings settings) => settings.AreIn(options)
        ? new ConnectionChange(connection, options, ChangeKind.Changed)
        : new ConnectionChange(connection, options, ChangeKind.Refused, "the kernel has other values than were set");

    private static ConnectionChange ApplyBorrowed(SocketSettings settings, Connection connection)
    {
        if (connection.Owners.Count == 0) return new ConnectionChange(connection, null, ChangeKind.Refused, "no process that we may see holds it: root may change it");
        SocketOwner owner = connection.Owners[0];
        try
        {
            using OwnedFd process = BorrowedSocket.OpenProcess(owner.Pid);
            using BorrowedSocket? socket = BorrowedSocket.Borrow(process, owner.Fd, connection.Socket.Cookie);
            if (socket is null) return new ConnectionChange(connection, null, ChangeKind.Vanished);
            socket.Set(settings);
            return ReadBack(connection, socket.Read(), settings);
        }
        catch (SyscallException e)
        {
            return e.Errno == Errno.ESRCH ? new ConnectionChange(connection, null, ChangeKind.Vanished)
                : new ConnectionChange(connection, null, ChangeKind.Refused, e.Message);
        }
    }
}
