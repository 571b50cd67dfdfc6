using System.Globalization;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Fleet;

/// <summary>A fleet's things, read and written: what <c>keepalive fleet</c> asks for, the page, and the judge of a rollout.</summary>
/// <remarks>Every write is one transaction that wants the world as it was read: two who write at once do not undo each other, the later one reads again.</remarks>
internal sealed class FleetStore(EtcdClient etcd, FleetKeys keys, TimeProvider time)
{
    // Others who set policies at the same moment are people.
    private const int AttemptsMax = 5;
    private const int PageEntries = 1000;

    // A walk over fewer keys costs etcd less than a write.
    private const int NotedMin = 1000;

    // So many policies can be gone back to; older ones are forgotten.
    private const int HistoryMax = 100;

    public FleetKeys Keys => keys;

    /// <summary>Policies, as they stand.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">What stands there is not ours.</exception>
    public async Task<PolicyState> PoliciesAsync(CancellationToken cancel) => (await StandingAsync(cancel).ConfigureAwait(false)).Readable();

    /// <summary>The newest of the history, the newest first.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<IReadOnlyList<PolicyRecord>> HistoryAsync(int most, CancellationToken cancel)
    {
        EtcdRange range = await etcd.ReadAsync(new EtcdQuery(keys.HistoryPrefix) { IsPrefix = true, IsDescending = true, Limit = most }, cancel).ConfigureAwait(false);
        return [.. range.Entries.Select(RecordOf).OfType<PolicyRecord>()];
    }

    /// <summary>The policy of a number; null when there is none.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<PolicyRecord?> HistoryOfAsync(long number, CancellationToken cancel)
    {
        EtcdRange range = await etcd.ReadAsync(new EtcdQuery(keys.History(number)), cancel).ConfigureAwait(false);
        return range.Entries is [var entry] ? RecordOf(entry) : null;
    }

    /// <summary>Sets a policy: for all, or first for a part of the machines.</summary>
    /// <param name="text">What it says: the caller has checked it.</param>
    /// <param name="by">USER@HOST.</param>
    /// <param name="comment">Why.</param>
    /// <param name="canary">How it begins; null: with all at once.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The policy, with its number.</returns>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">Another one is on its way, or too few machines are there to try it.</exception>
    public async Task<PolicyRecord> SetAsync(string text, string by, string comment, CanaryOptions? canary, CancellationToken cancel)
    {
        if (text.Length > FleetJson.PolicyTextMax) throw new FleetException($"the policy has {text.Length} characters; {FleetJson.PolicyTextMax} are the most");
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            Standing standing = await StandingAsync(cancel).ConfigureAwait(false);
            if (standing.Rollout is { } other)
                throw new FleetException($"policy {other.Policy.Number} of {other.Policy.By} is on its way to all: wait for it, or end it with 'keepalive fleet policy rollback'");
            long number = await NextNumberAsync(standing, cancel).ConfigureAwait(false);
            var policy = new FleetPolicy(number, by, time.GetUtcNow(), comment, text);
            Rollout? rollout = canary is null ? null : await RolloutOfAsync(policy, canary, cancel).ConfigureAwait(false);
            var record = new PolicyRecord(policy, rollout is null ? PolicyOutcome.Set : PolicyOutcome.Canary, rollout is null ? "" : $"{rollout.Canaries} of {rollout.Machines} machines first");
            // What is no rollout is in nobody's way.
            EtcdWrite[] what = rollout is null ? [new EtcdWrite(keys.Current, FleetJson.Write(policy)), new EtcdWrite(keys.Rollout, null)] : [new EtcdWrite(keys.Rollout, FleetJson.Write(rollout))];
            if (await TryAsync(standing, record, what, cancel).ConfigureAwait(false)) return record;
        }

        throw new FleetException("others set policies at the same moment: look at 'keepalive fleet policy history', and try again");
    }

    /// <summary>Ends a rollout, or, where there is none, sets an older policy anew, under a new number.</summary>
    /// <param name="to">Which; null: the rollout, or the policy that was in force before.</param>
    /// <param name="by">USER@HOST.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What was ended, or set.</returns>
    /// <exception cref="EtcdException">etcd could not.</exception>
    /// <exception cref="FleetException">There is nothing to go back to.</exception>
    public async Task<PolicyRecord> RollBackAsync(long? to, string by, CancellationToken cancel)
    {
        Standing standing = await StandingAsync(cancel).ConfigureAwait(false);
        if (standing.Readable().Rollout is { } rollout)
        {
            if (to is not null) throw new FleetException($"policy {rollout.Policy.Number} is on its way: end it first, with 'keepalive fleet policy rollback' alone");
            return await DecideAsync(rollout, isThrough: false, $"by {by}", cancel).ConfigureAwait(false)
                ?? throw new FleetException($"policy {rollout.Policy.Number} has been decided about just now: see 'keepalive fleet policy history'");
        }

        PolicyRecord? before = to is { } number ? await HistoryOfAsync(number, cancel).ConfigureAwait(false) : await BeforeAsync(standing.Current, cancel).ConfigureAwait(false);
        if (before is null or { Outcome: PolicyOutcome.Unreadable }) throw new FleetException(to is null ? "no policy was in force before: there is nothing to go back to" : $"there is no policy {to}: 'keepalive fleet policy history' lists them");
        return await SetAsync(before.Policy.Text, by, $"back to policy {before.Policy.Number}", null, cancel).ConfigureAwait(false);
    }

    /// <summary>Ends a rollout: its policy becomes that of all, or of none.</summary>
    /// <returns>What stands in the history; null where somebody else was quicker.</returns>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<PolicyRecord?> DecideAsync(Rollout rollout, bool isThrough, string why, CancellationToken cancel)
    {
        Standing standing = await StandingAsync(cancel).ConfigureAwait(false);
        if (standing.Rollout?.Policy.Number != rollout.Policy.Number) return null;
        var record = new PolicyRecord(rollout.Policy, isThrough ? PolicyOutcome.Through : PolicyOutcome.RolledBack, why);
        List<EtcdWrite> writes = [new(keys.Rollout, null), new(keys.Judge, null)];
        if (isThrough) writes.Add(new EtcdWrite(keys.Current, FleetJson.Write(rollout.Policy)));
        EtcdCommit commit = await etcd.CommitAsync(standing.Conditions(keys), [.. writes, new(keys.History(rollout.Policy.Number), FleetJson.Write(record))], cancel).ConfigureAwait(false);
        return commit.Done ? record : null;
    }

    /// <summary>All machines that are there, by name.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<IReadOnlyList<FleetMachine>> MachinesAsync(CancellationToken cancel)
    {
        var machines = new List<FleetMachine>();
        string? after = null;
        while (true)
        {
            EtcdRange page = await etcd.ReadAsync(new EtcdQuery(keys.MachinePrefix) { IsPrefix = true, Limit = PageEntries, After = after }, cancel).ConfigureAwait(false);
            machines.AddRange(page.Entries.Select(MachineOf));
            if (page.Entries.Count < PageEntries) return machines;
            after = page.Entries[^1].Key;
        }
    }

    /// <summary>How many machines are there.</summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<int> MachineCountAsync(CancellationToken cancel) =>
        (int)(await etcd.ReadAsync(new EtcdQuery(keys.MachinePrefix) { IsPrefix = true, IsCount = true }, cancel).ConfigureAwait(false)).Count;

    /// <summary>
    /// How many machines are there, near enough to set one's pace by. A count costs etcd a walk over all of their keys, so if each of them
    /// counted, a fleet would cost its square: of a big one somebody counts, and the others read what was found.
    /// </summary>
    /// <exception cref="EtcdException">etcd could not.</exception>
    public async Task<int> SizeAsync(CancellationToken cancel)
    {
        EtcdRange noted = await etcd.ReadAsync(new EtcdQuery(keys.Size), cancel).ConfigureAwait(false);
        EtcdEntry? entry = noted.Entries is [var only] ? only : null;
        DateTimeOffset now = time.GetUtcNow();
        // Who sets the clock wrong counts for itself, and writes what others do not believe: nothing worse.
        if (entry is not null && FleetJson.TryRead(entry.Value, out FleetSize? size, out _) && (now - size.At).Duration() < new FleetPace(size.Machines).CountEvery) return size.Machines;
        int machines = await MachineCountAsync(cancel).ConfigureAwait(false);
        byte[]? note = machines >= NotedMin ? FleetJson.Write(new FleetSize(machines, now)) : null;
        if (note is not null || entry is not null) await etcd.CommitAsync([new EtcdCondition(keys.Size, entry?.Modified ?? 0)], [new EtcdWrite(keys.Size, note)], cancel).ConfigureAwait(false);
        return machines;
    }

    private async Task<Standing> StandingAsync(CancellationToken cancel)
    {
        EtcdRange range = await etcd.ReadAsync(new EtcdQuery(keys.PolicyPrefix) { IsPrefix = true }, cancel).ConfigureAwait(false);
        EtcdEntry? current = range.Entries.FirstOrDefault(e => e.Key == keys.Current), rollout = range.Entries.FirstOrDefault(e => e.Key == keys.Rollout);
        FleetPolicy? policy = null;
        Rollout? onItsWay = null;
        string? faultOfCurrent = null, faultOfRollout = null;
        if (current is not null) _ = FleetJson.TryRead(current.Value, out policy, out faultOfCurrent);
        if (rollout is not null) _ = FleetJson.TryRead(rollout.Value, out onItsWay, out faultOfRollout);
        string? fault = faultOfCurrent is not null ? NotOurs(keys.Current, faultOfCurrent) : faultOfRollout is not null ? NotOurs(keys.Rollout, faultOfRollout) : null;
        return new Standing(policy, onItsWay, range.Revision, current?.Modified ?? 0, rollout?.Modified ?? 0, fault);
    }

    private async Task<long> NextNumberAsync(Standing standing, CancellationToken cancel)
    {
        long last = (await HistoryAsync(1, cancel).ConfigureAwait(false)).Select(r => r.Policy.Number).FirstOrDefault();
        return Math.Max(last, standing.Current?.Number ?? 0) + 1;
    }

    private async Task<Rollout> RolloutOfAsync(FleetPolicy policy, CanaryOptions canary, CancellationToken cancel)
    {
        string[] machines = [.. (await MachinesAsync(cancel).ConfigureAwait(false)).Select(m => m.Name)];
        if (machines.Length < 2) throw new FleetException($"{machines.Length} machine(s) are in the fleet '{keys.Fleet}': a canary is watched beside others, which takes two; without --canary it is set for all");
        int canaries = Canary.CountOf(canary.Percent, machines.Length);
        return new Rollout(policy, canary.Percent, Canary.ThresholdOf(policy.Number, machines, canaries), canaries, machines.Length, canary.Observe);
    }

    private async Task<bool> TryAsync(Standing standing, PolicyRecord record, EtcdWrite[] writes, CancellationToken cancel)
    {
        string history = keys.History(record.Policy.Number);
        EtcdWrite[] oldest = record.Policy.Number > HistoryMax ? [new EtcdWrite(keys.History(record.Policy.Number - HistoryMax), null)] : [];
        EtcdCommit commit = await etcd.CommitAsync([.. standing.Conditions(keys), new EtcdCondition(history, 0)], [.. writes, .. oldest, new EtcdWrite(history, FleetJson.Write(record))], cancel).ConfigureAwait(false);
        return commit.Done;
    }

    // The newest that all had, before the one that they have.
    private async Task<PolicyRecord?> BeforeAsync(FleetPolicy? current, CancellationToken cancel)
    {
        if (current is null) return null;
        IReadOnlyList<PolicyRecord> records = await HistoryAsync(PageEntries, cancel).ConfigureAwait(false);
        return records.FirstOrDefault(r => r.Policy.Number < current.Number && r.Outcome is PolicyOutcome.Set or PolicyOutcome.Through);
    }

    // Its number is taken, whatever stands there; what has no number is none of ours.
    private PolicyRecord? RecordOf(EtcdEntry entry)
    {
        if (!long.TryParse(entry.Key.AsSpan(keys.HistoryPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number <= 0) return null;
        if (FleetJson.TryRead(entry.Value, out PolicyRecord? record, out string? fault) && record.Policy.Number == number) return record;
        return new PolicyRecord(new FleetPolicy(number, "?", DateTimeOffset.UnixEpoch, "", ""), PolicyOutcome.Unreadable, fault ?? "it is of another number");
    }

    private FleetMachine MachineOf(EtcdEntry entry)
    {
        string name = entry.Key[keys.MachinePrefix.Length..];
        if (!FleetKeys.IsName(name)) return new FleetMachine(name, null, "no machine can have this name");
        if (!FleetJson.TryRead(entry.Value, out MachineDigest? digest, out string? fault)) return new FleetMachine(name, null, fault);
        return digest.Machine == name ? new FleetMachine(name, digest, null) : new FleetMachine(name, null, $"it calls itself {digest.Machine}");
    }

    private static string NotOurs(string key, string fault) =>
        $"etcd's {key}: {fault}: who else writes there? 'keepalive fleet policy set' replaces it; a fleet of your own has its own --fleet-name";

    private sealed record Standing(FleetPolicy? Current, Rollout? Rollout, long Revision, long CurrentModified, long RolloutModified, string? Fault)
    {
        public PolicyState Readable() => Fault is null ? new PolicyState(Current, Rollout, Revision) : throw new FleetException(Fault);

        public IReadOnlyList<EtcdCondition> Conditions(FleetKeys keys) => [new(keys.Current, CurrentModified), new(keys.Rollout, RolloutModified)];
    }
}

/// <summary>How a rollout begins.</summary>
/// <param name="Percent">Of the machines.</param>
/// <param name="Observe">How long these are watched.</param>
internal sealed record CanaryOptions(double Percent, TimeSpan Observe);

/// <summary>The fleet will not: one line, with what to do.</summary>
internal sealed class FleetException(string message) : Exception(message);
