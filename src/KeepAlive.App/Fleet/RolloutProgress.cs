using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary>How far a policy on its way has come.</summary>
/// <param name="Taken">Canaries that have it.</param>
/// <param name="Observed">How long all of these have had it.</param>
/// <param name="Text">What speaks for and against it.</param>
internal sealed record RolloutProgress(int Taken, TimeSpan Observed, string Text)
{
    public static RolloutProgress Of(Rollout rollout, IReadOnlyList<FleetMachine> machines)
    {
        long number = rollout.Policy.Number;
        double[] trials = [.. machines.Where(m => rollout.IsFor(m.Name)).Select(m => m.Digest).OfType<MachineDigest>().Where(d => d.Policy == number).Select(d => d.Trial?.Policy == number ? d.Trial.Seconds : 0)];
        var observed = TimeSpan.FromSeconds(trials.Length == 0 ? 0 : Math.Min(trials.Min(), rollout.Observe.TotalSeconds));
        return new RolloutProgress(trials.Length, observed, RolloutJudge.Judge(rollout, machines, TimeSpan.Zero).Why);
    }
}
