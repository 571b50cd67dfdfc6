using System.Diagnostics;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Linux.Launch;

/// <summary>
/// Finds sockets that came to a launched program on other ways than socket(2): inherited, received (SCM_RIGHTS), made by
/// io_uring or a 32-bit child. Each is looked at once, as long as it is there.
/// </summary>
internal sealed class Sweep(SocketSettings settings, Func<IEnumerable<int>> processes)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    // At most a twentieth of a core, however many descriptors there are.
    private const int RestPerWork = 20;

    private HashSet<uint> _seen = [];

    /// <summary>When the next is due (<see cref="Stopwatch"/> time).</summary>
    public long Due { get; private set; } = Stopwatch.GetTimestamp();

    /// <summary>How long until then, for poll(2): 0 ms or more.</summary>
    public int Wait => (int)Math.Max(0, Math.Ceiling(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), Due).TotalMilliseconds));

    public void Run()
    {
        long begun = Stopwatch.GetTimestamp();
        var present = new HashSet<uint>();
        foreach (int pid in processes()) Look(pid, present);
        _seen = present;
        TimeSpan rest = Stopwatch.GetElapsedTime(begun) * RestPerWork;
        Due = Stopwatch.GetTimestamp() + (long)((rest > Shortest ? rest : Shortest).TotalSeconds * Stopwatch.Frequency);
    }

    private void Look(int pid, HashSet<uint> present)
    {
        OwnedFd? process = null;
        try
        {
            foreach ((uint inode, SocketOwner owner) in SocketOwners.Read(pid).All)
            {
                if (!present.Add(inode) || _seen.Contains(inode)) continue;
                process ??= BorrowedSocket.OpenProcess(pid);
                using BorrowedSocket? socket = BorrowedSocket.BorrowTcp(process, owner.Fd);
                if (socket is not null && !settings.AreIn(socket.Read())) socket.Set(settings);
            }
        }
        catch (SyscallException)
        {
            // It has ended, or we have no right to it: what it made by socket(2) has been set all the same.
        }
        finally
        {
            process?.Dispose();
        }
    }
}
