using System.Net;
using KeepAlive.App.Explain;
using KeepAlive.App.Measure;
using KeepAlive.Paths.Measure;

namespace KeepAlive.Tests.App;

public sealed class MeasureTextTests
{
    private static readonly PathFinding Nat = new()
    {
        Low = TimeSpan.FromSeconds(349.6),
        High = TimeSpan.FromSeconds(350.4),
        Expiry = Expiry.Silent,
        ClientRevives = Answer.No,
        ClientKeepAlive = Answer.Yes,
        ServerKeepAlive = Answer.Yes,
        ClientBytes = Answer.Yes,
        ServerBytes = Answer.Yes,
        KeepAliveCrosses = Answer.Yes,
        Connections = 133,
        Took = TimeSpan.FromSeconds(734.6),
        RoundTrip = TimeSpan.FromMilliseconds(12.34),
    };

    [Fact]
    public void One_paragraph_says_it_all() => Assert.Equal(
        "this path drops idle flows silently after 350s (349.6–350.4); TCP keepalive refreshes it. Use 150:4:25: survives 3 lost probes, finds a dead peer in 4m10s, 576 probes a day.\n"
        + "133 connections, 12m15s, round trip up to 12.3 ms\n", MeasureReport.ToText(Nat));

    [Fact]
    public void What_is_otherwise_is_said()
    {
        Text("forgets idle flows and answers their next packet with a reset, after 350s", Nat with { Expiry = Expiry.ResetOnUse });
        Text("resets idle flows after 350s", Nat with { Expiry = Expiry.Reset });
        Text("It lets a client that speaks first through again", Nat with { ClientRevives = Answer.Yes });
        Text("after less than 3s, the shortest that is tried", Nat with { Low = TimeSpan.Zero, High = TimeSpan.FromSeconds(3) });
        Text("That is too short for any keepalive", Nat with { Low = TimeSpan.Zero, High = TimeSpan.FromSeconds(3) });
        Text("let idle flows live for 10m0s, the longest that was tried (--max); nothing had to be refreshed. Use 260:4:43: finds a dead peer", Nat with { Low = TimeSpan.FromMinutes(10), High = null, Expiry = Expiry.None });
        PathFinding proxy = Nat with { Expiry = Expiry.Close, ClientKeepAlive = Answer.No, ServerKeepAlive = Answer.No, KeepAliveCrosses = Answer.No };
        Text("closes idle flows after 350s (349.6–350.4); TCP keepalive does not refresh it, application data does; something on the way answers TCP keepalive itself", proxy);
        Text("Use probes of the application's own protocol, as 'keepalive gateway --probe 150:4:25' sends them", proxy);
        Text("application data towards the far end does, data from there does not", proxy with { ServerBytes = Answer.No });
        Text("nor does application data. No keepalive helps here", proxy with { ClientBytes = Answer.No, ServerBytes = Answer.No, KeepAliveCrosses = Answer.Yes });

        static void Text(string part, PathFinding found) => Assert.Contains(part, MeasureReport.ToText(found), StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_judges_by_what_was_measured()
    {
        var far = new PathRecord("far.example.com:7201", IPEndPoint.Parse("203.0.113.7:7201"), "192.0.2.1", new DateTimeOffset(2026, 11, 20, 0, 0, 0, TimeSpan.Zero), Nat);
        var measured = new MeasuredVerdicts([far, far with { Finding = Nat with { ClientKeepAlive = Answer.No } }, far with { Finding = Nat with { High = null } }]);
        Assert.Equal(
            [
                "far.example.com:7201, forgets after 5m49.6s (2026-11-20): survives 3 lost in a row",
                "far.example.com:7201, forgets after 5m49.6s (2026-11-20): keepalive is ignored there: use 'keepalive gateway'",
                "far.example.com:7201, nothing forgotten within 5m49.6s (2026-11-20): survives",
            ],
            measured.Summary(Policy("60:4:15")));
        Assert.EndsWith(": too late", measured.Summary(Policy("320:4:15")).First(), StringComparison.Ordinal);
        Assert.EndsWith(": survives, if no probe is lost", measured.Summary(Policy("300:4:15")).First(), StringComparison.Ordinal);

        static KeepAlivePolicy Policy(string text) => KeepAliveSpec.Parse(text).Policy!;
    }
}
