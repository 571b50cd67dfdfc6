using KeepAlive.Paths.Measure;

namespace KeepAlive.Tests.Paths;

public sealed class MeasurementTests
{
    // The shape of Hätönen et al., "An Experimental Study of Home Gateway Characteristics", IMC 2010, figure 4: 34 devices, the shortest 239 s,
    // the median about an hour, more than half below the 2 h 4 min of RFC 5382, some above the day that was tried.
    private static readonly double[] HomeGatewayMinutes =
    [
        3.98, 5, 5, 10, 15, 15, 20, 30, 30, 30, 30, 45, 60, 60, 60, 60, 60, 60, 60, 90, 110, 120, 120, 124, 150, 240, 480, 720, 1380,
        1500, 2880, 7200, 7200, 7200,
    ];

    [Fact]
    public void Finds_the_timeouts_of_home_gateways()
    {
        var options = new MeasureOptions { Max = TimeSpan.FromDays(1) };
        string[] wrong = [.. HomeGatewayMinutes.Select(TimeSpan.FromMinutes).Select(timeout => Fault(new SimulatedPath { Timeout = timeout }, options)).OfType<string>()];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Is_exact_quick_and_sparing_for_any_timeout_and_way_to_fail()
    {
        var random = new Random(7);
        var options = new MeasureOptions { Max = TimeSpan.FromHours(2) };
        List<string> wrong = [];
        for (int i = 0; i < 300; i++)
        {
            var path = new SimulatedPath
            {
                Timeout = TimeSpan.FromSeconds(7 * Math.Pow(1000, random.NextDouble())),
                Expiry = (Expiry)random.Next(1, 5),
                IsLoose = random.Next(2) == 0,
                RoundTrip = TimeSpan.FromMilliseconds(random.Next(1, 40)),
                Late = 0.02,
            };
            if (Fault(path, options, i) is { } fault) wrong.Add(fault);
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData(Expiry.Silent, false, Answer.No)]
    [InlineData(Expiry.Silent, true, Answer.Yes)]
    [InlineData(Expiry.ResetOnUse, false, Answer.No)]
    [InlineData(Expiry.Reset, false, Answer.Unknown)]
    [InlineData(Expiry.Close, false, Answer.Unknown)]
    public void Says_how_it_fails(Expiry expiry, bool isLoose, Answer revives)
    {
        PathFinding found = Find(new SimulatedPath { Timeout = TimeSpan.FromSeconds(31), Expiry = expiry, IsLoose = isLoose });
        Assert.Equal(expiry, found.Expiry);
        Assert.Equal(revives, found.ClientRevives);
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, false, false)]
    public void Says_what_refreshes(bool keepAlive, bool client, bool server)
    {
        foreach (Expiry expiry in (Expiry[])[Expiry.Silent, Expiry.ResetOnUse, Expiry.Reset, Expiry.Close])
        {
            PathFinding found = Find(new SimulatedPath { Timeout = TimeSpan.FromSeconds(13), Expiry = expiry, KeepAliveRefreshes = keepAlive, ClientBytesRefresh = client, ServerBytesRefresh = server });
            Assert.Equal((Of(keepAlive), Of(keepAlive), Of(client), Of(server)), (found.ClientKeepAlive, found.ServerKeepAlive, found.ClientBytes, found.ServerBytes));
            Assert.Equal(Answer.Yes, found.KeepAliveCrosses);
        }

        static Answer Of(bool yes) => yes ? Answer.Yes : Answer.No;
    }

    [Theory]
    [InlineData(Expiry.Close)]
    [InlineData(Expiry.Silent)]
    public void Knows_a_proxy_that_answers_keepalive_itself(Expiry expiry)
    {
        PathFinding found = Find(new SimulatedPath { Timeout = TimeSpan.FromSeconds(7), Expiry = expiry, IsProxy = true });
        Assert.Equal(Answer.No, found.KeepAliveCrosses);
        Assert.Equal(Answer.No, found.ClientKeepAlive);
        Assert.Equal(Answer.Yes, found.ClientBytes);
    }

    [Fact]
    public void A_path_that_forgets_nothing_takes_the_longest_silence_and_no_longer()
    {
        PathFinding found = Find(new SimulatedPath());
        Assert.Equal((TimeSpan.FromMinutes(10), null, Expiry.None), (found.Low, found.High, found.Expiry));
        Assert.Equal(Answer.Unknown, found.ClientKeepAlive);
        Assert.Equal(Answer.Yes, found.KeepAliveCrosses);
        Assert.InRange(found.Took, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10.2));
    }

    [Fact]
    public void A_timeout_below_the_shortest_is_told_as_that()
    {
        PathFinding found = Find(new SimulatedPath { Timeout = TimeSpan.FromSeconds(2) });
        Assert.Equal((TimeSpan.Zero, MeasureOptions.Min), (found.Low, found.High));
    }

    [Fact]
    public void A_word_that_is_lost_by_chance_does_not_become_a_timeout()
    {
        // One in 50 never comes: with nine of ten seeds the ladder has such a rung below the timeout.
        int found = Enumerable.Range(0, 40).Count(seed =>
            Fault(new SimulatedPath { Timeout = TimeSpan.FromSeconds(150), Lost = 0.02 }, new MeasureOptions(), seed, isLossy: true) is null);
        Assert.InRange(found, 38, 40);
    }

    private static PathFinding Find(SimulatedPath path) => new MeasureWorld(path, new MeasureOptions()).Run();

    private static string? Fault(SimulatedPath path, MeasureOptions options, int seed = 1, bool isLossy = false)
    {
        var world = new MeasureWorld(path, options, seed);
        PathFinding found = world.Run();
        TimeSpan timeout = path.Timeout!.Value, close = Max(TimeSpan.FromSeconds(1), timeout * 0.01);
        string what = $"{path}: {found}";
        if (timeout > options.Max) return found.High is null && found.Low == options.Max ? null : $"found what was not tried: {what}";
        if (found.High is not { } high || found.Low > timeout || high < timeout - TimeSpan.FromMilliseconds(1)) return $"not within: {what}";
        if (high - timeout > close || timeout - found.Low > close) return $"not close enough: {what}";
        if (!isLossy && found.Took > timeout * 2.2) return $"took {found.Took / timeout:0.000} times as long: {what}";
        if (world.Opened >= MeasureOptions.ConnectionsMax || world.OpenedASecondMax > 101) return $"{world.Opened} connections, {world.OpenedASecondMax} within a second: {what}";
        return found.Expiry == path.Expiry ? null : $"fails otherwise: {what}";
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
