using KeepAlive.Linux.Processes;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// The processes of a launched program: itself, and whoever was once seen as a child of one of them, for a daemon's
/// parent is init soon. Known by number and start time, so that a number used again is not taken for them.
/// </summary>
internal sealed class ProgramTree
{
    private readonly Dictionary<int, ulong> _known = [];

    public ProgramTree(int root) => Add(root);

    /// <summary>One that is of the program, as it has asked for a socket.</summary>
    public void Add(int pid)
    {
        if (ProcessStat.Of(pid) is { } process) _known[pid] = process.Started;
    }

    /// <summary>Those that run now.</summary>
    public IReadOnlyCollection<int> Processes()
    {
        Dictionary<int, ProcessStat> all = [];
        ProcFiles.EachProcess(pid =>
        {
            if (ProcessStat.Of(pid) is { } process) all[pid] = process;
        });

        foreach (int pid in _known.Keys.ToArray())
        {
            if (!all.TryGetValue(pid, out ProcessStat process) || process.Started != _known[pid]) _known.Remove(pid);
        }

        for (bool found = true; found;)
        {
            found = false; // and their children, until there are no more
            foreach ((int pid, ProcessStat process) in all) found |= _known.ContainsKey(process.Parent) && _known.TryAdd(pid, process.Started);
        }

        return _known.Keys;
    }
}
