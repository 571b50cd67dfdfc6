using System.Net;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Linux.Connections;

namespace KeepAlive.App.Connections;

/// <summary>What <c>keepalive measure</c> has found out, for verdicts.</summary>
internal sealed class MeasuredPaths(IReadOnlyList<PathRecord> records)
{
    private readonly Dictionary<IPEndPoint, MeasuredPath?> _known = [];

    /// <summary>All there is. A file that cannot be read is told of, and is no reason to list nothing.</summary>
    public static MeasuredPaths Read()
    {
        try
        {
            return new MeasuredPaths(PathStore.Default.Read());
        }
        catch (MachineException e)
        {
            CommandLine.Complain($"keepalive list: measured paths are left out: {e.Message}");
            return new MeasuredPaths([]);
        }
    }

    /// <summary>The verdict on a connection, with what is known of its path.</summary>
    public Judged Judge(Connection connection) => new(connection, ConnectionVerdict.Of(connection.Socket, connection.Options, To(connection.Socket.Remote)));

    /// <summary>What is known of the path to an address; null for nothing.</summary>
    public MeasuredPath? To(IPEndPoint remote)
    {
        if (records.Count == 0) return null;
        if (_known.TryGetValue(remote, out MeasuredPath? path)) return path;
        path = PathStore.Find(records, remote) is { } record
            ? new MeasuredPath(record.Finding.Low, record.Finding.High is not null, record.Finding.ClientKeepAlive != Paths.Measure.Answer.No, DateOnly.FromDateTime(record.MeasuredAt.UtcDateTime))
            : null;
        _known.Add(remote, path);
        return path;
    }
}
