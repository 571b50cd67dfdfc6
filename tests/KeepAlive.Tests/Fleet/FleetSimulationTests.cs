using KeepAlive.Bench.Fleet;
using KeepAlive.Fleet;

namespace KeepAlive.Tests.Fleet;

/// <summary>What <c>KeepAlive.Bench fleet</c> simulates, and docs/fleet-scale.md tells, held in small.</summary>
public sealed class FleetSimulationTests
{
    private static readonly FleetCall[] Calls = [FleetCall.Range, FleetCall.Txn, FleetCall.Grant, FleetCall.Renew, FleetCall.Watch, FleetCall.Failed];

    private static readonly Lazy<(FleetScenario Scenario, FleetSimulation Played)> Ten = new(() => Play(10_000));

    [Fact]
    public void Ten_thousand_machines_stay_within_the_pace_in_every_second()
    {
        (FleetScenario scenario, FleetSimulation played) = Ten.Value;
        Assert.Equal(10_000, played.Joined);
        FleetTally tally = played.Tally;
        foreach ((string part, double from, double to) in scenario.Parts.Where(p => p.Name != "all start"))
        {
            // What all do at once is spread; what they do anyway comes on top.
            Within(part, FleetCall.Txn, 1.25 * (FleetPace.BurstPerSecond + FleetPace.WritesPerSecond));
            Within(part, FleetCall.Watch, 1.25 * FleetPace.BurstPerSecond);
            Within(part, FleetCall.Range, 1.5 * FleetPace.BurstPerSecond);
            Within(part, FleetCall.Renew, FleetPace.RenewalsPerSecond + FleetPace.BurstPerSecond);
            void Within(string name, FleetCall call, double most) => Assert.True(tally.Worst(call, from, to) <= most, $"{name}: {tally.Worst(call, from, to)} times {call} in a second, {most} are the most");
        }
    }

    [Fact]
    public void A_quiet_fleet_asks_what_its_pace_allows_on_average()
    {
        (FleetScenario scenario, FleetSimulation played) = Ten.Value;
        Assert.InRange(played.Tally.Mean(FleetCall.Txn, scenario.SettledAt, scenario.PolicyAt), 0, FleetPace.WritesPerSecond);
        Assert.InRange(played.Tally.Mean(FleetCall.Renew, scenario.SettledAt, scenario.PolicyAt), 0.9 * FleetPace.RenewalsPerSecond, 1.1 * FleetPace.RenewalsPerSecond);
    }

    [Fact]
    public void Nothing_grows_faster_than_the_fleet()
    {
        (FleetScenario small, FleetSimulation thousand) = Play(1000);
        (FleetScenario big, FleetSimulation ten) = Ten.Value;
        foreach (FleetCall call in Calls.Append(FleetCall.Walked))
        {
            double before = thousand.Tally.Sum(call, 0, small.End) / small.End, after = ten.Tally.Sum(call, 0, big.End) / big.End;
            Assert.True(after <= 12 * Math.Max(before, 1), $"{call}: {before:0.0} a second of 1,000 machines, {after:0.0} of 10,000");
        }
    }

    private static (FleetScenario, FleetSimulation) Play(int machines)
    {
        var scenario = new FleetScenario(machines);
        return (scenario, FleetSimulation.Run(scenario));
    }
}
