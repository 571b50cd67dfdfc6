using System.Globalization;
using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary>Where a policy that was set has come to.</summary>
internal enum PolicyStep
{
    /// <summary>Not all machines have it yet.</summary>
    Going,

    /// <summary>All of them have it.</summary>
    There,

    /// <summary>Some refused it, it was rolled back, or another one came.</summary>
    Failed,
}

/// <summary>How far a policy that was set has come.</summary>
/// <param name="Step">Where it is.</param>
/// <param name="Text">In a line.</param>
/// <param name="Having">Machines that have it.</param>
/// <param name="Refusing">Machines that will not.</param>
internal sealed record PolicyProgress(PolicyStep Step, string Text, int Having, IReadOnlyList<FleetMachine> Refusing)
{
    /// <param name="sight">The fleet.</param>
    /// <param name="record">What the history says of the policy, read after the fleet: so that an end is not missed.</param>
    public static PolicyProgress Of(FleetSight sight, PolicyRecord record)
    {
        long number = record.Policy.Number;
        int having = sight.Having(number);
        FleetMachine[] refusing = [.. sight.Machines.Where(m => m.Digest?.Refused?.Policy == number)];
        if (record.Outcome == PolicyOutcome.RolledBack) return Told(PolicyStep.Failed, $"is rolled back: {FleetText.Cell(record.Why)}");
        if (sight.Policies.Rollout is { } rollout && rollout.Policy.Number == number)
        {
            RolloutProgress progress = RolloutProgress.Of(rollout, sight.Machines);
            string watched = progress.Taken < rollout.Canaries ? "" : $" for {FleetText.Span(TimeSpan.FromSeconds(Math.Floor(progress.Observed.TotalSeconds)))} of {FleetText.Span(rollout.Observe)}";
            return Told(PolicyStep.Going, string.Create(CultureInfo.InvariantCulture, $"is on {progress.Taken} of {rollout.Canaries} canaries{watched}: {FleetText.Cell(progress.Text)}"));
        }

        if (sight.Policies.Current is { } current && current.Number != number)
            return Told(PolicyStep.Failed, string.Create(CultureInfo.InvariantCulture, $"is not in force any more: policy {current.Number} of {FleetText.Cell(current.By)} is"));
        int readable = sight.Machines.Count(m => m.Digest is not null);
        string of = string.Create(CultureInfo.InvariantCulture, $"{having} of {FleetText.Count(sight.Machines.Count, "machine")}");
        if (sight.Machines.Count == 0) return Told(PolicyStep.There, "is in force; no machine is in the fleet now, and those that come get it");
        if (having + refusing.Length < readable) return Told(PolicyStep.Going, $"is on {of}");
        if (refusing.Length > 0) return Told(PolicyStep.Failed, $"is on {of}; {FleetText.Cell(refusing[0].Name)} refuses it: {FleetText.Cell(refusing[0].Digest!.Refused!.Why)}");
        return Told(PolicyStep.There, $"is in force on {of}{(readable < sight.Machines.Count ? "; the others cannot be read: 'keepalive fleet list' tells why" : "")}");

        PolicyProgress Told(PolicyStep step, string text) => new(step, string.Create(CultureInfo.InvariantCulture, $"policy {number} {text}"), having, refusing);
    }
}
