using System.Globalization;
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
        if (Read(pid) is { } process) _known[pid] = process.Started;
    }

    /// <summary>Those that run now.</summary>
    public IReadOnlyCollection<int> Processes()
    {
        Dictionary<int, Entry> all = [];
        ProcFiles.EachProcess(pid =>
        {
            if (Read(pid) is { } process) all[pid] = process;
        });

        foreach (int pid in _known.Keys.ToArray())
        {
            if (!all.TryGetValue(pid, out Entry process) || process.Started != _known[pid]) _known.Remove(pid);
        }

        for (bool found = true; found;)
        {
            found = false; // and their children, until there are no more
            foreach ((int pid, Entry process) in all) found |= _known.ContainsKey(process.Parent) && _known.TryAdd(pid, process.Started);
        }

        return _known.Keys;
    }

    // proc(5), /proc/PID/stat: "pid (name) state ppid ...", start time the 22nd; the name may hold anything, parentheses too.
    private static Entry? Read(int pid)
    {
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new Entry(int.Parse(fields[1], CultureInfo.InvariantCulture), ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has just ended
        }
    }

    private readonly record struct Entry(int Parent, ulong Started);
}
