using KeepAlive.App.Connections;
using KeepAlive.App.Events;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;

namespace KeepAlive.App.Up;

/// <summary>Sees to the connections of this machine's programs by policies, each connection once; others are not touched.</summary>
internal sealed class HostWatch(DaemonEvents events)
{
    // One that is being opened will be established with what it is given now; what a listener has its connections will have.
    private static readonly ConnectionScope Scope = new()
    {
        AllNamespaces = Environment.IsPrivilegedProcess,
        States = TcpStates.Lasting.With(TcpState.SynSent).With(TcpState.Listening),
    };

    private readonly HashSet<string> _said = [];
    private IReadOnlyList<HostPolicy> _policies = [];
    private HashSet<ulong> _seen = [];
    private HashSet<ulong> _ownerless = [];

    /// <summary>From the next look on; what was seen is looked at again.</summary>
    public void Use(IReadOnlyList<HostPolicy> policies)
    {
        (_policies, _seen, _ownerless) = (policies, [], []);
        foreach (HostPolicy policy in policies)
            foreach (Shortfall shortfall in policy.Settings.Shortfalls) events.Tell("notice", policy.Name, shortfall.ToString());
    }

    /// <summary>Sees to those that are new.</summary>
    public void Look()
    {
        if (_policies.Count == 0) return;
        if (!OperatingSystem.IsLinux())
        {
            Say("host policies are for Linux: elsewhere only a program itself can change its sockets");
            return;
        }

        try
        {
            ConnectionList list = ConnectionReader.Read(Scope);
            foreach (string note in list.Notes) Say(note);
            foreach (IGrouping<HostPolicy, Connection> chosen in Fresh(list).GroupBy(c => c.Policy, c => c.Connection)) See(chosen.Key, [.. chosen], list.Source);
        }
        catch (SyscallException e)
        {
            Say(e.Message);
        }
    }

    // Those that a policy is for and that were not there the last time. One that nobody held yet, as it was being accepted, has another chance.
    private List<(HostPolicy Policy, Connection Connection)> Fresh(ConnectionList list)
    {
        var fresh = new List<(HostPolicy, Connection)>();
        var cgroups = new Dictionary<int, string?>();
        HashSet<ulong> seen = [], ownerless = [];
        foreach (Connection connection in list.Connections)
        {
            ulong cookie = connection.Socket.Cookie;
            // A gateway sets its own sockets by its own options: two masters would undo each other.
            bool isNew = !_seen.Contains(cookie) && connection.Owners.All(o => o.Command != "keepalive");
            HostPolicy? policy = isNew ? _policies.FirstOrDefault(p => p.Matches(connection, CgroupOf)) : null;
            if (policy is not null) fresh.Add((policy, connection));
            bool isLate = isNew && policy is null && connection.Owners.Count == 0 && !_ownerless.Contains(cookie);
            (isLate ? ownerless : seen).Add(cookie);
        }

        (_seen, _ownerless) = (seen, ownerless);
        return fresh;

        string? CgroupOf(int pid) => cgroups.TryGetValue(pid, out string? known) ? known : cgroups[pid] = ProcessCgroup.Of(pid);
    }

    private void See(HostPolicy policy, List<Connection> connections, OptionSource source)
    {
        bool isDry = policy.Mode == HostMode.Observe;
        IReadOnlyList<ConnectionChange> changes = isDry ? ConnectionSetter.Preview(policy.Settings, connections) : ConnectionSetter.Apply(policy.Settings, connections, source);
        foreach (ConnectionChange change in changes.Where(c => c.Kind is ChangeKind.Changed or ChangeKind.Refused))
            events.Tell(isDry ? "observed" : change.Kind == ChangeKind.Changed ? "changed" : "not-changed", policy.Name, ChangeTable.Line(change, isDry));
    }

    private void Say(string note)
    {
        // With a count of processes in it, it would be told at each look.
        if (_said.Add(string.Concat(note.Where(c => !char.IsAsciiDigit(c))))) events.Tell("notice", null, note);
    }
}
