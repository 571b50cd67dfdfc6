using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Fleet;

/// <summary>A fleet's things, read and written: what <c>keepalive fleet</c> asks for, and the page.</summary>
internal sealed class FleetStore(EtcdClient etcd, FleetKeys keys)
{
    public FleetKeys Keys => keys;

    /// <summary>Policies, as they stand.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">What stands there is not ours.</exception>
    public Task<PolicyState> PoliciesAsync(CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>The newest of the history, the newest first.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public Task<IReadOnlyList<PolicyRecord>> HistoryAsync(int most, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>The policy of a number; null when there is none.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public Task<PolicyRecord?> HistoryOfAsync(long number, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Sets a policy: for all, or first for a part of the machines.</summary>
    /// <param name="text">What it says: the caller has checked it.</param>
    /// <param name="by">USER@HOST.</param>
    /// <param name="comment">Why.</param>
    /// <param name="canary">How it begins; null: with all at once.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The policy, with its number.</returns>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">Another one is on its way, or no machine is there to try it.</exception>
    public Task<PolicyRecord> SetAsync(string text, string by, string comment, CanaryOptions? canary, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Ends a rollout, or, where there is none, sets an older policy anew, under a new number.</summary>
    /// <param name="to">Which; null: the one before the one in force.</param>
    /// <param name="by">USER@HOST.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What was ended, or set.</returns>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">There is nothing to go back to.</exception>
    public Task<PolicyRecord> RollBackAsync(long? to, string by, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>All machines that are there, by name.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public Task<IReadOnlyList<FleetMachine>> MachinesAsync(CancellationToken cancel) => throw new NotImplementedException();
}

/// <summary>How a rollout begins.</summary>
/// <param name="Percent">Of the machines.</param>
/// <param name="Observe">How long these are watched.</param>
internal sealed record CanaryOptions(double Percent, TimeSpan Observe);

/// <summary>The fleet will not: one line, with what to do.</summary>
internal sealed class FleetException(string message) : Exception(message);
