using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tuning;

namespace KeepAlive.App.Gateways;

/// <summary>Keeps in the store what tuning has found, one after the other and not on the threads of flows: a disk may take its time.</summary>
/// <param name="store">Where.</param>
/// <param name="tell">Told when that fails: the flows go on all the same.</param>
internal sealed class TunedPathKeeping(PathStore store, Action<FlowEvent> tell)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;

    public void Keep(TunedPath found)
    {
        lock (_lock) _last = _last.ContinueWith(_ => Save(found), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>What was handed over is kept, if the disk allows it in time.</summary>
    public async Task FinishAsync()
    {
        Task last;
        lock (_lock) last = _last;
        await Task.WhenAny(last, Task.Delay(Patience)).ConfigureAwait(false);
    }

    private void Save(TunedPath found)
    {
        try
        {
            store.Save(new TunedRecord(found.Remote, DateTimeOffset.UtcNow, found.Policy, found.IdleTimes, found.Flows));
        }
        catch (MachineException e)
        {
            tell(new FlowEvent(0, MonotonicClock.Now, FlowEventKind.Notice, $"{found.Remote}: {found.Policy} holds, but is not kept: {e.Message}"));
        }
    }
}
