using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.App.Fleet;

/// <summary>Waits until a policy that was set has come to its end, and tells how it goes.</summary>
/// <param name="store">Where it stands.</param>
/// <param name="say">A line for people.</param>
/// <param name="time">The clock.</param>
internal sealed class PolicyWait(FleetStore store, Action<string> say, TimeProvider time)
{
    private static readonly TimeSpan LookMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(10);

    // An election takes a second or two, a restart of etcd some more.
    private static readonly TimeSpan AwayMax = TimeSpan.FromMinutes(2);

    private string _said = "";
    private PolicyStep _step;
    private int _having = -1;
    private long _saidAt;

    /// <summary>Until all machines have it, or will not, or it was taken back.</summary>
    /// <exception cref="EtcdException">etcd has been away for long.</exception>
    /// <exception cref="FleetException">What stands there is not ours.</exception>
    public async Task<(PolicyProgress Progress, PolicyRecord Record)> UntilOverAsync(long number, CancellationToken cancel)
    {
        long? away = null;
        while (true)
        {
            TimeSpan pause = LookMin;
            try
            {
                FleetSight sight = await FleetSight.ReadAsync(store, 0, cancel).ConfigureAwait(false);
                if (sight.Faults is [var fault, ..]) throw new FleetException(fault);
                PolicyRecord record = await store.HistoryOfAsync(number, cancel).ConfigureAwait(false) ?? throw new FleetException($"policy {number} is gone from the history: somebody deleted it");
                PolicyProgress progress = PolicyProgress.Of(sight, record);
                away = null;
                if (progress.Step != PolicyStep.Going) return (progress, record);
                Say(progress);
                // No more often than the machines tell: the bigger the fleet, the more each look costs etcd.
                if (new FleetPace(sight.Machines.Count).DigestEvery is var every && every / 2 > pause) pause = every / 2;
            }
            catch (EtcdException e) when (e.Fault is EtcdFault.Unreachable or EtcdFault.NoLeader)
            {
                if (away is { } since && time.GetElapsedTime(since) > AwayMax) throw;
                if (away is null) say($"{e.Message}; the policy goes on its way, and it is tried again");
                away ??= time.GetTimestamp();
            }

            await Task.Delay(pause, time, cancel).ConfigureAwait(false);
        }
    }

    // At once where another machine has it; figures that grow by themselves only now and then.
    private void Say(PolicyProgress progress)
    {
        bool isNews = (progress.Step, progress.Having) != (_step, _having);
        if (progress.Text == _said || (!isNews && time.GetElapsedTime(_saidAt) < SayEvery)) return;
        (_said, _step, _having, _saidAt) = (progress.Text, progress.Step, progress.Having, time.GetTimestamp());
        say(progress.Text);
    }
}
