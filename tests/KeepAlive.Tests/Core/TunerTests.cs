using KeepAlive.Core;

namespace KeepAlive.Tests.Core;

public sealed class TunerTests
{
    [Fact]
    public void Walks_as_the_howto_says()
    {
        var tuner = new Tuner(new KeepAlivePolicy(TimeSpan.FromSeconds(40), 8, TimeSpan.FromSeconds(50)));
        string[] walk = [.. Enumerable.Range(0, 6).Select(_ => tuner.OnBroken().Policy.ToString())];
        Assert.Equal(["25:8:50", "15:8:50", "15:9:50", "15:9:65", "15:9:75", "15:9:75"], walk);
        Assert.Equal(TunerPhase.Exhausted, tuner.Phase);
    }

    [Fact]
    public void Goes_below_a_silence_that_is_known_to_break()
    {
        var tuner = new Tuner(KeepAlivePolicy.Default);
        TunerAdvice advice = tuner.OnBroken(TimeSpan.FromSeconds(240));
        Assert.Equal("225:9:75", advice.Policy.ToString());
        Assert.Contains("lowered from 2h0m0s to 3m45s", advice.Why, StringComparison.Ordinal);
        Assert.Equal((TunerPhase.Settled, "225:9:75"), (Settle(tuner).Phase, tuner.OnLived().Policy.ToString()));
        Assert.Equal("210:9:75", tuner.OnBroken().Policy.ToString());
    }

    [Fact]
    public void Never_lowers_the_interval_and_always_ends()
    {
        for (int seed = 1; seed <= 500; seed++)
        {
            var random = new Random(seed);
            var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(random.Next(1, 9000)), random.Next(1, 12), TimeSpan.FromSeconds(random.Next(1, 90)));
            var tuner = new Tuner(policy, TimeSpan.FromSeconds(10 + (random.NextDouble() * 5)));
            for (int steps = 0; tuner.Phase != TunerPhase.Exhausted; steps++)
            {
                Assert.True(steps < 1000, $"seed {seed}: does not end");
                KeepAlivePolicy next = tuner.OnBroken(random.Next(2) == 0 ? TimeSpan.FromSeconds(random.Next(1, 9000)) : null).Policy;
                Assert.True(next.Interval >= policy.Interval && next.Count >= policy.Count && next.Idle <= policy.Idle, $"seed {seed}: {policy} to {next}");
                policy = next;
            }
        }
    }

    private static Tuner Settle(Tuner tuner)
    {
        tuner.OnLived();
        return tuner;
    }
}
