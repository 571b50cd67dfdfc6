using KeepAlive.Fleet;

namespace KeepAlive.Tests.Fleet;

public sealed class RolloutJudgeTests
{
    private const int Machines = 20;
    private static readonly FleetPolicy Tried = new(7, "ann@desk", DateTimeOffset.UnixEpoch, "", "{}");
    private static readonly string[] Names = [.. Enumerable.Range(1, Machines).Select(i => $"m{i}")];
    private static readonly Rollout Two = new(Tried, 10, Canary.ThresholdOf(7, Names, 2), 2, Machines, TimeSpan.FromMinutes(10));

    [Fact]
    public void Exactly_as_many_machines_as_were_meant_are_canaries()
    {
        foreach (int count in (int[])[1, 2, 10, 19])
        {
            ulong threshold = Canary.ThresholdOf(7, Names, count);
            Assert.Equal(count, Names.Count((Two with { Threshold = threshold }).IsFor));
        }

        Assert.NotEqual(Names.Where(Two.IsFor), Names.Where((Two with { Policy = Tried with { Number = 8 }, Threshold = Canary.ThresholdOf(8, Names, 2) }).IsFor)); // others each time
    }

    [Theory]
    [InlineData(5, 20, 1)]
    [InlineData(5, 21, 2)]
    [InlineData(0.001, 20, 1)]
    [InlineData(99.9, 20, 19)]
    [InlineData(50, 2, 1)]
    [InlineData(5, 1_000_000, 50_000)]
    public void A_part_of_the_machines_is_at_least_one_and_never_all(double percent, int machines, int canaries) => Assert.Equal(canaries, Canary.CountOf(percent, machines));

    [Fact]
    public void It_waits_until_all_canaries_have_had_it_for_long_enough()
    {
        Assert.Equal(RolloutVerdict.Wait, Judge(_ => Digest(0)).Verdict);
        Assert.Equal(RolloutVerdict.Wait, Judge(_ => Digest(0), having: 1).Verdict);
        Assert.Equal(RolloutVerdict.Wait, Judge(name => Digest(0, Two.IsFor(name) ? 599 : 700)).Verdict);
        Assert.Equal(RolloutVerdict.Through, Judge(_ => Digest(0, 600)).Verdict);
    }

    [Fact]
    public void Deaths_that_rise_end_it_before_the_time_is_over()
    {
        (RolloutVerdict verdict, string why) = Judge(name => Digest(Two.IsFor(name) ? 3 : 0, 60));
        Assert.Equal((RolloutVerdict.Back, "deaths rise: 6 death(s) in 3.33 flow hours on 2 machine(s) with it, 0 death(s) in 30 flow hours on 18 machine(s) without"), (verdict, why));
    }

    [Theory]
    [InlineData(3, 3)] // everywhere as many: the network, not the policy
    [InlineData(1, 1)]
    [InlineData(1, 0)] // two deaths are chance
    [InlineData(0, 50)]
    public void Deaths_that_do_not_rise_let_it_through(int with, int without) =>
        Assert.Equal(RolloutVerdict.Through, Judge(name => Digest(Two.IsFor(name) ? with : without, 600)).Verdict);

    [Fact]
    public void One_machine_that_refuses_it_ends_it()
    {
        (RolloutVerdict verdict, string why) = Judge(name => Digest(0, 60) with { Policy = Two.IsFor(name) ? 0 : 6, Refused = Two.IsFor(name) ? new PolicyRefusal(7, "no such user") : null });
        Assert.Equal(RolloutVerdict.Back, verdict);
        Assert.EndsWith("refuses it: no such user", why, StringComparison.Ordinal);
    }

    [Fact]
    public void Canaries_that_vanish_or_never_take_it_end_it_once_there_was_time_enough()
    {
        FleetMachine[] gone = [.. All(_ => Digest(0, 600)).Where(m => m.Name != Names.First(Two.IsFor))];
        Assert.Equal(RolloutVerdict.Wait, RolloutJudge.Judge(Two, gone, TimeSpan.Zero).Verdict); // a restart
        Assert.Equal((RolloutVerdict.Back, "1 of 2 canaries are gone"), RolloutJudge.Judge(Two, gone, TimeSpan.FromMinutes(12)));
        (RolloutVerdict verdict, string why) = RolloutJudge.Judge(Two, All(_ => Digest(0, 600), having: 1), TimeSpan.FromMinutes(12));
        Assert.Equal((RolloutVerdict.Back, "1 of 2 canaries have not taken it"), (verdict, why));
    }

    [Fact]
    public void Without_a_flow_nothing_speaks_against_it()
    {
        (RolloutVerdict verdict, string why) = Judge(_ => Digest(0, 600, flows: 0));
        Assert.Equal(RolloutVerdict.Through, verdict);
        Assert.StartsWith("no flow was open with it, so nothing speaks against it or for it", why, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_counts_for_nothing() =>
        Assert.Equal(RolloutVerdict.Wait, RolloutJudge.Judge(Two, [.. Names.Select(n => new FleetMachine(n, null, "garbage"))], TimeSpan.Zero).Verdict);

    // Against sums of exact binomial terms, by Pascal's triangle.
    [Theory]
    [InlineData(3, 10, 0.1)]
    [InlineData(10, 10, 0.5)]
    [InlineData(40, 60, 0.3)]
    [InlineData(1, 1, 0.05)]
    public void The_tail_is_the_binomial_one(int least, int all, double part)
    {
        double[] row = [1];
        for (int i = 0; i < all; i++) row = [.. Enumerable.Range(0, i + 2).Select(k => (k <= i ? row[k] * (1 - part) : 0) + (k > 0 ? row[k - 1] * part : 0))];
        double exact = row[least..].Sum();
        Assert.InRange(RolloutJudge.UpperTail(least, all, part) / exact, 1 - 1e-9, 1 + 1e-9);
    }

    [Fact]
    public void Absurd_counts_are_judged_at_once()
    {
        Assert.Equal(1, RolloutJudge.UpperTail(5, 1_000_000_000_000, 0.5));
        Assert.InRange(RolloutJudge.UpperTail(1_000_000_000_000, 1_000_000_000_000, 0.5), 0, 1e-100);
        Assert.InRange(RolloutJudge.UpperTail(500_003_000_000, 1_000_000_000_000, 0.5), 0, 1e-5); // six standard deviations
        Assert.Equal(0, RolloutJudge.UpperTail(1, 1, 0));
    }

    // Where the policy makes no difference, hardly any rollout is taken back, though it is looked at again and again.
    [Fact]
    public void Chance_alone_takes_few_back()
    {
        const int Trials = 400, Looks = 50;
        var random = new Random(11);
        int back = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            Dictionary<string, int> deaths = Names.ToDictionary(n => n, _ => 0);
            RolloutVerdict verdict = RolloutVerdict.Wait;
            for (int look = 1; look <= Looks && verdict == RolloutVerdict.Wait; look++)
            {
                foreach (string name in Names)
                    if (random.NextDouble() < 0.2) deaths[name]++;
                double seconds = 600.0 * look / Looks;
                verdict = Judge(name => Digest(deaths[name], seconds)).Verdict;
            }

            if (verdict == RolloutVerdict.Back) back++;
        }

        Assert.InRange(back, 0, Trials * 8 / 100);
    }

    private static (RolloutVerdict Verdict, string Why) Judge(Func<string, MachineDigest> digest, int having = 2) => RolloutJudge.Judge(Two, All(digest, having), TimeSpan.FromSeconds(1));

    // The first canaries have it, the others do not.
    private static FleetMachine[] All(Func<string, MachineDigest> digest, int having = 2)
    {
        string[] with = [.. Names.Where(Two.IsFor).Take(having)];
        return [.. Names.Select(n => new FleetMachine(n, digest(n) is { Policy: 0, Refused: null } plain ? plain with { Machine = n, Policy = with.Contains(n) ? 7 : 6 } : digest(n) with { Machine = n }, null))];
    }

    private static MachineDigest Digest(long deaths, double seconds = 0, int flows = 100) => new()
    {
        Machine = "",
        Version = "1.0",
        Started = DateTimeOffset.UnixEpoch,
        Trial = new Trial(7, seconds, seconds * flows, deaths),
    };
}
