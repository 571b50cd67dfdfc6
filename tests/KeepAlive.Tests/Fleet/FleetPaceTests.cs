using KeepAlive.Fleet;

namespace KeepAlive.Tests.Fleet;

public sealed class FleetPaceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(1000)]
    [InlineData(10_000)]
    [InlineData(1_000_000)]
    public void All_of_them_together_ask_no_more_of_etcd_than_it_can_give(int machines)
    {
        var pace = new FleetPace(machines);
        double slack = machines <= 400 ? double.MaxValue : 1.001; // a small fleet speaks as often as it likes: 200 of 2 s
        Assert.InRange(machines / pace.DigestEvery.TotalSeconds, 0, FleetPace.WritesPerSecond * slack);
        Assert.InRange(machines / pace.RenewEvery.TotalSeconds, 0, machines <= 5000 ? double.MaxValue : FleetPace.RenewalsPerSecond * 1.001);
        Assert.True(pace.Life >= 3 * pace.RenewEvery);
        Assert.InRange(machines / Math.Max(pace.Spread.TotalSeconds, 1e-9), 0, FleetPace.BurstPerSecond * 1.001);
    }

    [Fact]
    public void A_small_fleet_is_told_of_within_seconds()
    {
        var pace = new FleetPace(20);
        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15), TimeSpan.FromMilliseconds(10)), (pace.DigestEvery, pace.Life, pace.Spread));
    }

    [Fact]
    public void Waits_grow_to_half_a_minute_and_differ()
    {
        var backOff = new BackOff(new Random(3));
        TimeSpan[] waits = [.. Enumerable.Range(0, 12).Select(_ => backOff.Next())];
        Assert.InRange(waits[0], TimeSpan.FromMilliseconds(125), TimeSpan.FromMilliseconds(250));
        Assert.All(waits[8..], wait => Assert.InRange(wait, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30)));
        Assert.Equal(waits.Length, waits.Distinct().Count());
        backOff.Reset();
        Assert.InRange(backOff.Next(), TimeSpan.FromMilliseconds(125), TimeSpan.FromMilliseconds(250));
    }
}
