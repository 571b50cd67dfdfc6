using System.Globalization;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ping;

/// <summary>A program and all it has started, stopped by SIGSTOP: its kernel goes on to acknowledge. Disposed, they go on.</summary>
internal sealed class Frozen : IAsyncDisposable
{
    private readonly string[] _pids;

    private Frozen(string[] pids) => _pids = pids;

    public static async Task<Frozen> FreezeAsync(int root)
    {
        var frozen = new Frozen([.. Tree(root).Select(pid => pid.ToString(CultureInfo.InvariantCulture))]);
        await KillAsync("-STOP", frozen._pids);
        return frozen;
    }

    public async ValueTask DisposeAsync() => await KillAsync("-CONT", _pids);

    private static List<int> Tree(int root)
    {
        List<int> tree = [root];
        for (int i = 0; i < tree.Count; i++)
        {
            string list = $"/proc/{tree[i]}/task/{tree[i]}/children";
            if (File.Exists(list)) tree.AddRange(File.ReadAllText(list).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture)));
        }

        return tree;
    }

    // One that has ended meanwhile is no fault.
    private static async Task KillAsync(string signal, string[] pids)
    {
        await using ChildProcess kill = await ChildProcess.StartAsync(["kill", signal, .. pids]);
        await kill.WaitForExitAsync(TimeSpan.FromSeconds(5));
    }
}
