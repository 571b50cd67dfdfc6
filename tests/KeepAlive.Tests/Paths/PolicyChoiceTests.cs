using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.Tests.Paths;

/// <summary>What a policy survives, beside the real <see cref="Probe"/>; the cheapest one, beside every other.</summary>
public sealed class PolicyChoiceTests
{
    private static readonly Gen<KeepAlivePolicy> Policies =
        from idle in Gen.Choose(1, 120)
        from count in Gen.Choose(1, 9)
        from interval in Gen.Choose(1, 60)
        select new KeepAlivePolicy(Seconds(idle), count, Seconds(interval));

    // Small enough that every policy can be tried.
    private static readonly Gen<PolicyDemand> SmallDemands =
        from timeout in Gen.Choose(1, 90)
        from detection in Gen.OneOf(Gen.Constant(0), Gen.Choose(1, 120))
        from loss in Gen.Elements(0, 0.0001, 0.01, 0.05, 0.3)
        select new PolicyDemand(Seconds(timeout), detection == 0 ? null : Seconds(detection), loss);

    [Theory]
    [InlineData("60:4:15", 60, null)]
    [InlineData("60:4:15", 67, null)] // 60 s, an eighth late
    [InlineData("60:4:15", 68, 0)]
    [InlineData("60:4:15", 84, 0)] // 67.5 s + 16.875 s
    [InlineData("60:4:15", 85, 1)]
    [InlineData("60:4:15", 86_400, 3)] // the fourth loss is the verdict
    [InlineData("5:4:75", 84, null)] // the interval takes idle's place
    [InlineData("5:4:75", 85, 0)]
    public void Losses_until_a_binding_expires(string spec, int timeout, int? lost) =>
        Assert.Equal(lost, BindingMargin.LostProbes(KeepAliveSpec.Parse(spec).Policy!, Seconds(timeout)));

    [Fact]
    public void The_machine_itself_loses_as_many_and_no_more() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(3000),
        Prop.ForAll((from policy in Policies from timeout in Gen.Choose(1, 400) select (policy, Seconds(timeout))).ToArbitrary(), pair =>
        {
            (KeepAlivePolicy policy, TimeSpan timeout) = pair;
            Assert.Equal(Play(policy, timeout), BindingMargin.LostProbes(policy, timeout));
        }));

    [Fact]
    public void The_choice_meets_the_demand_and_nothing_cheaper_does() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(SmallDemands.ToArbitrary(), demand =>
        {
            PolicyChoice choice = PolicyChoice.For(demand);
            KeepAlivePolicy? best = Grid().Where(demand.IsMetBy).MaxBy(Rest);
            if (choice.Policy is not { } chosen)
            {
                Assert.True(best is null, $"{demand}: none, but {best} does it; said was: {choice.WhyNone}");
                Assert.NotEmpty(choice.WhyNone!);
                return;
            }

            Assert.Null(choice.WhyNone);
            Assert.True(demand.IsMetBy(chosen), $"{demand}: {chosen} does not do it");
            Assert.True(Rest(chosen) >= Rest(best!), $"{demand}: {chosen}, but {best} is cheaper");
        }));

    [Fact]
    public void A_choice_fits_the_kernel_whatever_is_asked() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(150),
        Prop.ForAll((from timeout in Gen.Choose(1, 10_000_000)
                     from detection in Gen.Choose(1, 10_000_000)
                     from loss in Gen.Choose(0, 990)
                     select new PolicyDemand(Seconds(timeout), Seconds(detection), loss / 1000.0)).ToArbitrary(), demand =>
        {
            if (PolicyChoice.For(demand).Policy is not { } chosen) return;
            Assert.True(demand.IsMetBy(chosen), $"{demand}: {chosen}");
            Assert.InRange(chosen.Idle, PolicyChoice.IntervalMin, PolicyChoice.IdleMax);
            Assert.InRange(chosen.Interval, PolicyChoice.IntervalMin, chosen.Idle);
            Assert.InRange(chosen.Count, 1, PolicyChoice.CountMax);
            Assert.Equal((0, 0), (chosen.Idle.Ticks % TimeSpan.TicksPerSecond, chosen.Interval.Ticks % TimeSpan.TicksPerSecond));
        }));

    [Theory]
    [InlineData(240, 60, 0.01, "35:5:5", null)]
    [InlineData(350, null, 0.01, "291:5:5", null)]
    [InlineData(300, 20, 0.01, null, "to tell a dead peer from losses: 35s, more than 20s")]
    [InlineData(20, null, 0.01, null, "to refresh a binding in spite of losses: more than 20s")]
    [InlineData(300, null, 0.9, null, "127 probes in a row are not enough")]
    public void Examples(int timeout, int? detection, double loss, string? spec, string? why)
    {
        PolicyChoice choice = PolicyChoice.For(new PolicyDemand(Seconds(timeout), detection is { } given ? Seconds(given) : null, loss));
        Assert.Equal(spec, choice.Policy?.ToString());
        if (why is not null) Assert.Contains(why, choice.WhyNone!, StringComparison.Ordinal);
    }

    // Losses are independent in the reckoning: the chance of a run, counted over many rounds, is what it says.
    [Fact]
    public void The_bound_is_the_rate_of_runs_of_losses()
    {
        var policy = new KeepAlivePolicy(Seconds(60), 2, Seconds(10));
        var demand = new PolicyDemand(Seconds(3600), null, 0.1);
        double unanswered = 1 - (0.9 * 0.9);
        Assert.Equal(365.25 * 1440 * unanswered * unanswered, demand.EndingsPerYear(policy), 6);
        Assert.Equal(365.25 * 1440 * unanswered, new PolicyDemand(Seconds(70), null, 0.1).EndingsPerYear(policy), 6);
        Assert.Equal(double.PositiveInfinity, new PolicyDemand(Seconds(60), null, 0.1).EndingsPerYear(policy));
    }

    private static IEnumerable<KeepAlivePolicy> Grid() =>
        from idle in Enumerable.Range(1, 120)
        from interval in Enumerable.Range((int)PolicyChoice.IntervalMin.TotalSeconds, 30)
        from count in Enumerable.Range(1, 16)
        select new KeepAlivePolicy(Seconds(idle), count, Seconds(interval));

    // Time between two probes of an idle flow: the more the cheaper.
    private static TimeSpan Rest(KeepAlivePolicy policy) => policy.Idle > policy.Interval ? policy.Idle : policy.Interval;

    // An answered probe, then losses; every timer an eighth late. How many until a probe comes too late, or the verdict?
    private static int? Play(KeepAlivePolicy policy, TimeSpan timeout)
    {
        Instant now = new(TimeSpan.TicksPerDay);
        var probe = new Probe(policy, ProbeQuestion.PeerAlive, now);
        probe.OnProbeSent(now);
        probe.OnReceived(now);
        Instant answered = now;
        int? lost = null;
        while (true)
        {
            now += BindingMargin.Latest(probe.Deadline - now);
            if (probe.OnDeadline(now) == ProbeEffect.GiveUp || now - answered >= timeout) return lost;
            probe.OnProbeSent(now);
            lost = lost + 1 ?? 0;
        }
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
