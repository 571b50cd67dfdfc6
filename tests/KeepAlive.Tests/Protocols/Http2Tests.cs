using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Http;
using static KeepAlive.Tests.Protocols.HttpCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>HTTP/2: never between the frames of a block, never oftener than gRPC's servers allow.</summary>
public sealed class Http2Tests
{
    private const Leg ToClient = Leg.Downstream;
    private const Leg ToServer = Leg.Upstream;
    private const string TooOften = "servers are pinged once in 5m0s (--http2-ping-every)";

    [Theory]
    [InlineData(ToClient)]
    [InlineData(ToServer)]
    public void A_PING_is_well_formed_and_its_answer_swallowed(object towardsValue)
    {
        var towards = (Leg)towardsValue;
        SessionBench bench = Begun().Say(Call(1));
        (ProbeAttempt attempt, byte[] ping) = bench.Probe(towards);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "PING"), "000008060000000000"), (attempt, Convert.ToHexString(ping[..9])));
        long before = bench.ToClient.Length + bench.ToServer.Length;
        bench.Now += TimeSpan.FromMilliseconds(3);
        bench.Say(new WireMessage(towards, Http2Pong(towards, ping)!));
        Assert.Equal(before, bench.ToClient.Length + bench.ToServer.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(3), towards), (note.Kind, note.Took, note.Leg));
        // With one bit changed it is somebody else's.
        byte[] other = Http2Pong(towards, ping)!;
        other[^1] ^= 0x40;
        bench.Say(new WireMessage(towards, other));
        Assert.Equal(before + other.Length, bench.ToClient.Length + bench.ToServer.Length);
    }

    [Fact]
    public void None_before_the_SETTINGS_of_the_leg_and_none_inside_a_block_of_fields()
    {
        SessionBench bench = new SessionBench(New(1)).Say(Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r")).AssertWithheld("in the middle of a message").Say(Client("\n")).AssertWithheld("HTTP/2 has not begun");
        bench.Say(Frame2(ToClient, Http2Kind.Settings, 0, 0)).AssertWithheld("no stream is open").AssertWithheld("HTTP/2 has not begun", ToClient)
            .Say(Frame2(ToServer, Http2Kind.Settings, 0, 0)).AssertProbed(ToClient)
            .Say(Frame2(ToClient, Http2Kind.Headers, 0, 1, 9)).AssertWithheld("in the middle of a message").AssertProbed(ToClient)
            .Say(Frame2(ToClient, Http2Kind.Continuation, 4, 1, 9)).AssertProbed(ToServer)
            .Say(Frame2(ToServer, Http2Kind.PushPromise, 0, 1, 0, 0, 0, 2)).AssertWithheld("in the middle of a message", ToClient)
            .Say(Frame2(ToServer, Http2Kind.Continuation, 4, 1, 9)).AssertProbed(ToClient);
    }

    [Fact]
    public void A_server_is_pinged_only_while_a_stream_is_open()
    {
        Begun().AssertWithheld("no stream is open").Say(Call(1)).AssertProbed();
        Begun().Say(Call(1), Frame2(ToServer, Http2Kind.Headers, 5, 1, 9)).AssertProbed(); // the client goes on
        Begun().Say(Frame2(ToClient, Http2Kind.Headers, 5, 1, 9)).Say(Frame2(ToServer, Http2Kind.Headers, 4, 1, 9)).AssertProbed();
        Begun().Say(Call(1), Frame2(ToClient, Http2Kind.Data, 1, 1, 7), Frame2(ToServer, Http2Kind.Data, 1, 1, 7)).AssertWithheld("no stream is open");
        Begun().Say(Call(1), Call(3), Frame2(ToServer, Http2Kind.ResetStream, 0, 1, 0, 0, 0, 0)).AssertProbed().Say(Frame2(ToClient, Http2Kind.ResetStream, 0, 3, 0, 0, 0, 0)).AssertWithheld("no stream is open");
    }

    [Fact]
    public void A_server_is_pinged_no_oftener_than_gRPC_allows_and_again_at_once_only_twice()
    {
        SessionBench bench = Begun().Say(Call(1));
        Answered(bench);
        bench.AssertWithheld(TooOften);
        bench.Now += TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1);
        bench.AssertWithheld(TooOften);
        bench.Now += TimeSpan.FromSeconds(1);
        // One that stays unanswered is followed up, within what a server lets pass.
        bench.AssertProbed().AssertProbed().AssertProbed().AssertWithheld(TooOften);
        bench.Now += TimeSpan.FromMinutes(5);
        bench.AssertProbed().AssertWithheld(TooOften).AssertProbed(ToClient).AssertProbed(ToClient);
    }

    [Fact]
    public void A_server_that_complains_is_left_alone_and_the_next_connection_asks_half_as_often()
    {
        var manners = new Http2Manners(new HttpOptions());
        WireMessage goAway = Frame2(ToServer, Http2Kind.GoAway, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0xB, .. "too_many_pings"u8]);
        SessionBench bench = Begun(manners).Say(Call(1)).AssertProbed(), beside = Begun(manners).Say(Call(1)).AssertProbed();
        bench.Say(goAway).AssertWithheld("the server wants no pings").AssertProbed(ToClient);
        Assert.Equal("the server ends for too many pings: from now on once in 10m0s", Assert.Single(bench.Notes).Text);
        beside.Say(goAway); // for the same pace: learned already
        Assert.Equal(TimeSpan.FromMinutes(10), manners.PingEvery);
        bench = Begun(manners).Say(Call(1));
        Answered(bench);
        bench.Now += TimeSpan.FromMinutes(9);
        bench.AssertWithheld("servers are pinged once in 10m0s (--http2-ping-every)");

        // Another end, or one that pings of ours have no part in, teaches nothing.
        Begun(manners).Say(Call(1), goAway).AssertProbed();
        Begun(manners).Say(Call(1)).AssertProbed().Say(Frame2(ToServer, Http2Kind.GoAway, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0));
        Assert.Equal(TimeSpan.FromMinutes(10), manners.PingEvery);
    }

    [Fact]
    public void What_is_no_frame_and_streams_without_end_make_it_a_plain_relay()
    {
        SessionBench bench = new SessionBench(New(1)).Say(Client("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"));
        Assert.Equal(("not HTTP/2: not understood", true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        bench = Begun().Say(Frame2(ToServer, Http2Kind.Ping, 0, 0, 1, 2, 3));
        Assert.Equal("a PING that is none: not understood any more", Assert.Single(bench.Notes).Text);
        bench = Begun();
        for (int i = 0; i <= 10_000; i++) bench.Say(Call((2 * i) + 1));
        Assert.Equal("over 10000 streams are open: not understood any more", Assert.Single(bench.Notes).Text);
    }

    private static WireMessage Call(int stream) => Frame2(ToClient, Http2Kind.Headers, 4, stream, 9);

    private static SessionBench Begun(Http2Manners? manners = null) =>
        new SessionBench(new HttpProtocol(new HttpOptions(), manners ?? new Http2Manners(new HttpOptions()), 1)).Say(Preface, Frame2(ToClient, Http2Kind.Settings, 0, 0), Frame2(ToServer, Http2Kind.Settings, 0, 0));

    private static void Answered(SessionBench bench)
    {
        byte[] ping = bench.Probe(ToServer).Bytes;
        Assert.NotEmpty(ping);
        bench.Say(new WireMessage(ToServer, Http2Pong(ToServer, ping)!));
    }
}
