using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Gateway;

public sealed class SendWatchTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1);

    // A closed window answers each try at once, and the tries come further apart than the bound: 0.2, 0.6, 1.4, 3.0, 6.2 s.
    [Fact]
    public void A_peer_that_answers_every_try_with_a_closed_window_lives()
    {
        double[] tries = [0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6];
        AssertNeverDead(at => Math.Max(0, at - tries.Last(t => t <= at)), at => Math.Max(0, at - tries.Last(t => t <= at)), until: 20);
    }

    [Fact]
    public void A_peer_that_acknowledges_a_steady_stream_half_a_second_late_lives() => AssertNeverDead(_ => 0.001, at => at % 0.5, until: 20);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_answers_nothing_is_dead_after_the_bound(bool probes)
    {
        var watch = new SendWatch();
        double dead = 0;
        for (double at = 0.1; dead == 0; at += 0.1)
        {
            // Sent at 0 and, by then unanswered, again each 0.4 s.
            PeerContact seen = probes ? Contact(at + 5, at + 5) with { UnacknowledgedSegments = 0, UnansweredProbes = 1 } : Contact(at % 0.4, at + 5);
            if (watch.IsDead(seen, Bound, At(at))) dead = at;
        }

        Assert.InRange(dead, 1.0, 1.2);
    }

    [Fact]
    public void What_was_owed_before_a_rest_is_not_held_against_what_is_sent_after_it()
    {
        var watch = new SendWatch();
        Assert.False(watch.IsDead(Contact(0.4, 5), Bound, At(1)));
        watch.Rest();
        Assert.Equal(Instant.Zero, watch.OwedSince);
        Assert.False(watch.IsDead(Contact(0.1, 50), Bound, At(100))); // answered meanwhile, and silent since
        Assert.True(watch.IsDead(Contact(1.1, 51), Bound, At(101)));
    }

    private static void AssertNeverDead(Func<double, double> sent, Func<double, double> acknowledged, double until)
    {
        var watch = new SendWatch();
        for (double at = 0.1; at < until; at += 0.1)
            Assert.False(watch.IsDead(Contact(sent(at), acknowledged(at)), Bound, At(at)), $"taken for dead after {at:0.0} s");
    }

    private static PeerContact Contact(double sent, double acknowledged) => new()
    {
        UnacknowledgedSegments = 1,
        SinceSent = TimeSpan.FromSeconds(sent),
        SinceAck = TimeSpan.FromSeconds(acknowledged),
        SinceData = TimeSpan.FromHours(1),
    };

    private static Instant At(double seconds) => new(TimeSpan.FromSeconds(1000 + seconds).Ticks);
}
