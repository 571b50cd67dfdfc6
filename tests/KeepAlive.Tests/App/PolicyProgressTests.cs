using KeepAlive.App.Fleet;
using KeepAlive.Fleet;

namespace KeepAlive.Tests.App;

/// <summary>What <c>--wait</c> waits for, and how it ends.</summary>
public sealed class PolicyProgressTests
{
    private static readonly FleetPolicy Old = new(11, "ann@ops", default, "", "{}"), New = Old with { Number = 12 }, Newer = new(13, "bob@ops", default, "", "{}");
    private static readonly PolicyRecord Set = new(New, PolicyOutcome.Set, "");

    [Fact]
    public void It_goes_until_all_have_it()
    {
        Told(PolicyStep.Going, "policy 12 is on 1 of 2 machines", Of(Set, New, Machine("one", 12), Machine("two", 11)));
        Told(PolicyStep.There, "policy 12 is in force on 2 of 2 machines", Of(Set, New, Machine("one", 12), Machine("two", 12)));
        Told(PolicyStep.There, "policy 12 is in force; no machine is in the fleet now, and those that come get it", Of(Set, New));
        Told(PolicyStep.There, "policy 12 is in force on 1 of 2 machines; the others cannot be read: 'keepalive fleet list' tells why", Of(Set, New, Machine("one", 12), new FleetMachine("two", null, "no JSON")));
    }

    [Fact]
    public void A_refusal_is_an_end_once_all_have_spoken()
    {
        FleetMachine refusing = new("one", Digest("one", 11) with { Refused = new PolicyRefusal(12, "db: no probes") }, null);
        Told(PolicyStep.Going, "policy 12 is on 0 of 2 machines", Of(Set, New, refusing, Machine("two", 11)));
        PolicyProgress ended = Of(Set, New, refusing, Machine("two", 12));
        Told(PolicyStep.Failed, "policy 12 is on 1 of 2 machines; one refuses it: db: no probes", ended);
        Assert.Equal(refusing, Assert.Single(ended.Refusing));
    }

    [Fact]
    public void A_rollback_and_a_newer_policy_are_ends()
    {
        Told(PolicyStep.Failed, "policy 12 is rolled back: deaths rise", Of(new PolicyRecord(New, PolicyOutcome.RolledBack, "deaths rise"), Old, Machine("one", 11)));
        Told(PolicyStep.Failed, "policy 12 is not in force any more: policy 13 of bob@ops is", Of(Set, Newer, Machine("one", 12)));
    }

    [Fact]
    public void A_rollout_goes_until_it_is_decided()
    {
        var rollout = new Rollout(New, 50, ulong.MaxValue, 1, 1, TimeSpan.FromMinutes(10));
        var sight = new FleetSight("web", new PolicyState(Old, rollout, 1), [new FleetMachine("one", Digest("one", 12) with { Trial = new Trial(12, 61.5, 0, 0) }, null)], []);
        PolicyProgress progress = PolicyProgress.Of(sight, new PolicyRecord(New, PolicyOutcome.Canary, "1 of 1 machines first"));
        Assert.Equal(PolicyStep.Going, progress.Step);
        Assert.StartsWith("policy 12 is on 1 of 1 canaries for 1m1s of 10m: 0 death(s) in 0 flow hours on 1 machine(s) with it", progress.Text, StringComparison.Ordinal);
    }

    private static void Told(PolicyStep step, string text, PolicyProgress progress) => Assert.Equal((step, text), (progress.Step, progress.Text));

    private static PolicyProgress Of(PolicyRecord record, FleetPolicy current, params FleetMachine[] machines) => PolicyProgress.Of(new FleetSight("web", new PolicyState(current, null, 1), machines, []), record);

    private static FleetMachine Machine(string name, long policy) => new(name, Digest(name, policy), null);

    private static MachineDigest Digest(string name, long policy) => new() { Machine = name, Version = "0.1.0", Started = default, Policy = policy };
}
