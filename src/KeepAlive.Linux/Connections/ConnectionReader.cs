using System.Globalization;
using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Connections;

/// <summary>Which sockets to read.</summary>
internal sealed record ConnectionScope
{
    /// <summary>Every network namespace with processes in it, containers included; else our own alone.</summary>
    public bool AllNamespaces { get; init; }

    /// <summary>In which states; established and close-wait by default.</summary>
    public TcpStates States { get; init; } = TcpStates.Lasting;

    /// <summary>Only sockets this process holds.</summary>
    public int? Pid { get; init; }
}

/// <summary>
/// Reads the machine's connections: inet_diag for what there is, the BPF iterator for the real options, joined by
/// cookie; where that is not allowed, sockets of our own processes are borrowed one by one.
/// </summary>
internal static class ConnectionReader
{
    /// <exception cref="SyscallException">Not even inet_diag could be asked.</exception>
    public static ConnectionList Read(ConnectionScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var notes = new List<string>();
        // Beside the reading of the sockets: it takes as long as all the rest.
        Task<SocketOwners> walk = Task.Run(() => SocketOwners.Read(scope.Pid));
        IReadOnlyList<NetworkNamespace> namespaces = scope.AllNamespaces ? NetworkNamespace.All() : [NetworkNamespace.Own];
        string? refusal = null;
        var read = new List<(NetworkNamespace Place, List<SocketRow> Rows, Dictionary<ulong, SocketOptions>? Options)>();
        foreach (NetworkNamespace place in namespaces)
        {
            try
            {
                read.Add(place.Run(() => (place, InetDiag.Dump(scope.States), Iterate(ref refusal))));
            }
            catch (SyscallException e) when (!place.IsOurs)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"network namespace {place.Inode} (pid {place.Pid}) is left out: {e.Message}"));
            }
        }

        SocketOwners owners = walk.GetAwaiter().GetResult();
        var found = new List<Connection>();
        var seen = new HashSet<ulong>(); // the kernel may tell a socket twice when others come to be while it is asked
        foreach ((NetworkNamespace place, List<SocketRow> rows, Dictionary<ulong, SocketOptions>? options) in read)
        {
            foreach (SocketRow row in rows)
            {
                IReadOnlyList<SocketOwner> holders = owners.Of(row.Inode);
                if (!seen.Add(row.Cookie)) continue;
                if (scope.Pid is null || holders.Count > 0) found.Add(new Connection(row, options?.GetValueOrDefault(row.Cookie), holders, place));
            }
        }

        if (owners.Unreadable > 0) notes.Add($"{owners.Unreadable} processes of other users hide their sockets: owners show with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, or as root");
        if (refusal is null) return new ConnectionList(found, OptionSource.BpfIterator, notes);
        notes.Add($"real values of other users' sockets are unknown ({refusal}): they show with CAP_BPF and CAP_PERFMON, or as root");
        return new ConnectionList(BorrowOptions(found), OptionSource.Pidfd, notes);
    }

    // Null, and why, where the iterator may not be used; asked once a listing.
    private static Dictionary<ulong, SocketOptions>? Iterate(ref string? refusal)
    {
        if (refusal is not null) return null;
        try
        {
            return TcpIterator.Read();
        }
        catch (Exception e) when (e is SyscallException or IOException or UnauthorizedAccessException)
        {
            refusal = e.Message;
            return null;
        }
    }

    private static List<Connection> BorrowOptions(List<Connection> connections)
    {
        var processes = new Dictionary<int, OwnedFd?>();
        try
        {
            return [.. connections.Select(c => c.Owners.Count == 0 ? c : c with { Options = Borrow(c, processes) })];
        }
        finally
        {
            foreach (OwnedFd? process in processes.Values) process?.Dispose();
        }
    }

    private static SocketOptions? Borrow(Connection connection, Dictionary<int, OwnedFd?> processes)
    {
        SocketOwner owner = connection.Owners[0];
        try
        {
            if (!processes.TryGetValue(owner.Pid, out OwnedFd? process)) processes[owner.Pid] = process = BorrowedSocket.OpenProcess(owner.Pid);
            if (process is null) return null;
            using BorrowedSocket? socket = BorrowedSocket.Borrow(process, owner.Fd, connection.Socket.Cookie);
            return socket?.Read();
        }
        catch (SyscallException)
        {
            processes.TryAdd(owner.Pid, null); // no right to this process: unknown, and not asked again
            return null;
        }
    }
}
