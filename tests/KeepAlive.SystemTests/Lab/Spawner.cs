using System.Collections.Concurrent;
using System.Diagnostics;

namespace KeepAlive.SystemTests.Lab;

/// <summary>
/// The one thread that starts child processes. PR_SET_PDEATHSIG names a parent thread, not a process (prctl(2)): a
/// child started from a pool thread would be killed when the pool retires that thread.
/// </summary>
internal static class Spawner
{
    private static readonly BlockingCollection<Action> Requests = StartThread();

    public static Task StartAsync(Process process)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Requests.Add(() =>
        {
            try
            {
                process.Start();
                done.SetResult();
            }
#pragma warning disable CA1031 // Carried to the caller, whatever it is.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                done.SetException(fault);
            }
        });
        return done.Task;
    }

    private static BlockingCollection<Action> StartThread()
    {
        BlockingCollection<Action> requests = [];
        Thread thread = new(() =>
        {
            foreach (Action request in requests.GetConsumingEnumerable()) request();
        })
        { IsBackground = true, Name = "spawner" };
        thread.Start();
        return requests;
    }
}
