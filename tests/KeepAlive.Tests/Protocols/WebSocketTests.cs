using KeepAlive.Core;
using KeepAlive.Protocols;
using static KeepAlive.Tests.Protocols.HttpCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>WebSocket: where a ping goes, where none may, and whose pong is whose.</summary>
public sealed class WebSocketTests
{
    private const Leg ToClient = Leg.Downstream;
    private const Leg ToServer = Leg.Upstream;
    private const string NotToServer = "HTTP/1.1 has nothing to say to a server beside requests: kernel keepalive only";

    [Theory]
    [InlineData(ToClient)]
    [InlineData(ToServer)]
    public void A_ping_is_well_formed_and_its_pong_is_swallowed(object towardsValue)
    {
        var towards = (Leg)towardsValue;
        SessionBench bench = Open();
        (ProbeAttempt attempt, byte[] ping) = bench.Probe(towards);
        Assert.Equal(new ProbeAttempt(ProbeOutcome.Sent, "ping"), attempt);
        // FIN and opcode 9, 16 bytes, masked towards the server alone (RFC 6455 section 5.1).
        Assert.Equal(towards == ToServer ? [0x89, 0x90] : (byte[])[0x89, 0x10], ping[..2]);
        Assert.Equal(towards == ToServer ? 22 : 18, ping.Length);
        bench.Now += TimeSpan.FromMilliseconds(30);
        (bench.ToServer.Position, bench.ToClient.Position) = (0, 0);
        (bench.ToServer as Stream).SetLength(0);
        bench.ToClient.SetLength(0);
        bench.Say(new WireMessage(towards, WebSocketPong(towards, ping)!));
        Assert.Equal((0, 0), (bench.ToServer.Length, bench.ToClient.Length));
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(30), towards), (note.Kind, note.Took, note.Leg));
    }

    [Fact]
    public void Two_pings_differ_in_payload_and_mask()
    {
        SessionBench bench = Open();
        byte[] first = bench.Probe(ToServer).Bytes, second = bench.Probe(ToServer).Bytes;
        Assert.NotEqual(first[2..6], second[2..6]);
        Assert.NotEqual(WebSocketPong(ToServer, first), WebSocketPong(ToServer, second));
        Assert.NotEqual(WebSocketPong(ToServer, first), WebSocketPong(ToServer, new SessionBench(HttpCases.New(2)).Say(Client(Request), Server(Accepted + "\r\n")).Probe(ToServer).Bytes));
    }

    [Fact]
    public void The_pong_of_an_earlier_ping_is_swallowed_too_and_told_of_once()
    {
        SessionBench bench = Open();
        byte[] first = bench.Probe(ToServer).Bytes, second = bench.Probe(ToServer).Bytes;
        long before = bench.ToClient.Length;
        bench.Say(new WireMessage(ToServer, WebSocketPong(ToServer, second)!), new WireMessage(ToServer, WebSocketPong(ToServer, first)!), new WireMessage(ToServer, WebSocketPong(ToServer, second)!));
        Assert.Equal(before, bench.ToClient.Length);
        Assert.Single(bench.Notes, n => n.Kind == FlowEventKind.ProbeAnswered);
    }

    [Fact]
    public void None_before_it_is_open_in_a_frame_or_while_it_closes()
    {
        var bench = new SessionBench(HttpCases.New(1));
        bench.AssertWithheld(NotToServer).Say(Client(Request)).AssertWithheld(NotToServer)
            .Say(Server(Accepted)).AssertWithheld(NotToServer).AssertWithheld("in the middle of a message", ToClient).Say(Server("\r\n")).AssertProbed();
        byte[] frame = Frame(Leg.Downstream, 0x82, new byte[200]).Bytes;
        bench.Say(Client(frame[..1])).AssertWithheld("in the middle of a message").AssertProbed(ToClient)
            .Say(Client(frame[1..100])).AssertWithheld("in the middle of a message")
            .Say(Client(frame[100..])).AssertProbed()
            .Say(Server(frame[..0])).AssertProbed()
            .Say(Server(0x82, 5, 1)).AssertWithheld("in the middle of a message", ToClient).AssertProbed(ToServer)
            .Say(Server(2, 3, 4, 5)).AssertProbed(ToClient)
            .Say(Frame(Leg.Upstream, 0x88, 3, 232)).AssertWithheld("the WebSocket is closing").AssertWithheld("the WebSocket is closing", ToClient);
    }

    [Fact]
    public void None_while_a_ping_of_the_other_ends_is_unanswered()
    {
        SessionBench bench = Open().Say(Frame(Leg.Downstream, 0x89, 7)).AssertWithheld("a ping of the other end's is unanswered").AssertProbed(ToClient);
        bench.Say(Frame(Leg.Upstream, 0x8A, 7)).AssertProbed();
        bench.Say(Frame(Leg.Upstream, 0x89, 7)).AssertWithheld("a ping of the other end's is unanswered", ToClient).AssertProbed(ToServer);
    }

    [Fact]
    public void Between_the_fragments_of_a_message_one_may_go()
    {
        Open().Say(Frame(Leg.Downstream, 0x01, 1)).AssertProbed().Say(Frame(Leg.Downstream, 0x80, 2)).AssertProbed();
    }

    [Theory]
    [InlineData("a frame of unknown kind 3", Leg.Upstream, 0x83, 0)]
    [InlineData("a frame of unknown kind 11", Leg.Upstream, 0x8B, 0)]
    [InlineData("a frame with reserved bits", Leg.Upstream, 0xC1, 0)]
    [InlineData("a frame with reserved bits", Leg.Upstream, 0xA1, 0)]
    [InlineData("a frame of the server's that is masked", Leg.Upstream, 0x81, 0x80)]
    [InlineData("a frame of the client's that is not masked", Leg.Downstream, 0x81, 0)]
    [InlineData("a control frame that is too long, or in parts", Leg.Upstream, 0x89, 126)]
    [InlineData("a control frame that is too long, or in parts", Leg.Upstream, 0x09, 0)]
    public void What_is_no_frame_makes_it_a_plain_relay(string why, object fromValue, byte first, byte second)
    {
        var from = (Leg)fromValue;
        SessionBench bench = Open().Say(new WireMessage(from, [first, second, 1, 2]));
        Assert.True(bench.Protocol.IsPlain);
        Assert.Equal($"{why}: not understood any more", Assert.Single(bench.Notes).Text);
        bench.AssertWithheld("plain relay");
    }

    private static SessionBench Open() => new SessionBench(HttpCases.New(1)).Say(Client(Request), Server(Accepted + "\r\n"));
}
