using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Irc;
using KeepAlive.Protocols.Sip;
using KeepAlive.Protocols.Telnet;
using KeepAlive.Protocols.Xmpp;
using static KeepAlive.Tests.Protocols.ChatCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>IRC, XMPP, SIP and Telnet: when something of ours may go, and whose answer is whose.</summary>
public sealed class ChatTests
{
    private const Leg ToClient = Leg.Downstream;
    private const Leg ToServer = Leg.Upstream;
    private const string InMessage = "in the middle of a message";

    [Theory]
    [InlineData(ToClient)]
    [InlineData(ToServer)]
    public void Irc_a_PING_s_word_is_ours_and_the_PONG_that_repeats_it_is_swallowed(object towardsValue)
    {
        var towards = (Leg)towardsValue;
        SessionBench bench = Irc();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(towards);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "PING"), "PING :keepalive-00000001-1\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
        long before = bench.ToClient.Length + bench.ToServer.Length;
        bench.Now += TimeSpan.FromMilliseconds(3);
        bench.Say(new WireMessage(towards, IrcAnswer(towards, bytes)!));
        Assert.Equal(before, bench.ToClient.Length + bench.ToServer.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(3), towards), (note.Kind, note.Took, note.Leg));
        // A word of somebody else's, and one of ours that was not said yet.
        WireMessage[] others = [new(towards, "PONG :keepalive-00000002-1\r\n"u8.ToArray()), new(towards, "PONG :keepalive-00000001-9\r\n"u8.ToArray())];
        bench.Say(others);
        Assert.Equal(before + others.Sum(m => m.Bytes.Length), bench.ToClient.Length + bench.ToServer.Length);
    }

    [Fact]
    public void Irc_none_before_the_client_is_registered_inside_a_line_or_once_it_ends()
    {
        var bench = new SessionBench(new IrcProtocol(SessionBench.Start, 1));
        bench.AssertWithheld("before the client is registered").Say(Client("NICK a\r\n")).AssertWithheld("before the client is registered", ToClient).Say(Server(":a 433 * b :taken\r\n")).AssertWithheld("before the client is registered")
            .Say(Server(":a 001 b :hi\r\n")).AssertProbed().AssertProbed(ToClient).Say(Client("PRIVMSG")).AssertWithheld(InMessage).AssertProbed(ToClient);
        Irc().Say(Client("PRIVMSG #a :" + new string('x', 2000))).AssertWithheld(InMessage).Say(Client("\r\n")).AssertProbed();
        Irc().Say(Client("QUIT\r\n")).AssertWithheld("the session is ending").AssertWithheld("the session is ending", ToClient);
        Irc().Say(Server("ERROR :gone\r\n")).AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData("not a client of IRC's: not understood", "SERVER a 1 :b\r\n")]
    [InlineData("not a client of IRC's: not understood", "GET / HTTP/1.1\r\n")]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", "\u0016\u0003\u0001")]
    public void Irc_who_is_no_client_is_not_followed(string why, string client)
    {
        SessionBench bench = new SessionBench(new IrcProtocol(SessionBench.Start, 1)).Say(Client(client));
        Assert.Equal((why, client.Length), (Assert.Single(bench.Notes).Text, (int)bench.ToServer.Length));
    }

    [Fact]
    public void Xmpp_a_space_goes_between_two_stanzas_of_the_stream_that_follows_a_login()
    {
        var bench = new SessionBench(new XmppProtocol());
        bench.AssertWithheld("before login").Say(Client(StreamOfClient), Server(StreamOfServer)).AssertWithheld("before login").Say(Server("<stream:features/>"), Client("<auth>x</auth>")).AssertWithheld("before login", ToClient)
            .Say(Server("<success/>")).AssertWithheld("before login").Say(Client(StreamOfClient)).AssertWithheld("before login").Say(Server(StreamOfServer));
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "a space"), " "), (attempt, Encoding.ASCII.GetString(bytes)));
        const string InStanza = "in the middle of a stanza";
        bench.AssertProbed(ToClient)
            .Say(Client("<message")).AssertWithheld(InStanza).AssertProbed(ToClient).Say(Client(" a='>'>")).AssertWithheld(InStanza).Say(Client("</message")).AssertWithheld(InStanza).Say(Client(">")).AssertProbed()
            .Say(Server("<a><![CDATA[</a>")).AssertWithheld(InStanza, ToClient).Say(Server("]]>")).AssertWithheld(InStanza, ToClient).Say(Server("</a>")).AssertProbed(ToClient)
            .Say(Server("<b/")).AssertWithheld(InStanza, ToClient).Say(Server(">")).AssertProbed(ToClient)
            .Say(Server("</stream:stream>")).AssertWithheld("the session is ending", ToClient).AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData("<a><!-- comment -->")]
    [InlineData("<!DOCTYPE x>")]
    [InlineData("<a b='<'>")]
    [InlineData("< a>")]
    [InlineData("</a>")]
    [InlineData("<a<")]
    public void Xmpp_what_XMPP_does_not_allow_is_not_followed(string client)
    {
        SessionBench bench = new SessionBench(new XmppProtocol()).Say(Client(client));
        Assert.Equal("not a stream of XMPP's: not understood any more", Assert.Single(bench.Notes).Text);
        Assert.Equal(client.Length, bench.ToServer.Length);
    }

    [Fact]
    public void Xmpp_depth_is_bounded()
    {
        SessionBench bench = new SessionBench(new XmppProtocol()).Say(Client(string.Concat(Enumerable.Repeat("<a>", 1001))));
        Assert.True(bench.Protocol.IsPlain);
    }

    [Fact]
    public void Sip_a_ping_goes_between_messages_to_a_server_that_has_agreed_and_its_answer_is_swallowed()
    {
        const string NotAgreed = "the server has not agreed to answer pings (RFC 5626)";
        const string Register = "REGISTER sip:a SIP/2.0\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n", Other = "SIP/2.0 200 OK\r\nRequire: x, outbound\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n";
        SessionBench bench = new SessionBench(new SipProtocol(SessionBench.Start)).AssertWithheld(NotAgreed).Say(Client(Register), Server(Other)).AssertWithheld(NotAgreed)
            .Say(Server("SIP/2.0 401 no\r\nFlow-Timer: 9\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n")).AssertWithheld(NotAgreed)
            .Say(Server("SIP/2.0 200 OK\r\nCSeq: 2 REGISTER\r\nRequire: x, outbound\r\nl: 0\r\n\r\n"));
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "CRLF CRLF"), "\r\n\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
        long before = bench.ToClient.Length;
        bench.Say(Client("\r\n\r\n")).AssertWithheld("a ping of the client's is unanswered").Say(Server("\r\n"));
        Assert.Equal(before, bench.ToClient.Length);
        bench.Say(Server("\r\n"));
        Assert.Equal(before + 2, bench.ToClient.Length);
        bench.AssertProbed().Say(Client("\r\n")).AssertWithheld(InMessage).Say(Client("\r\n"), Server("\r\n"), Server("\r\n"))
            .Say(Client("OPTIONS sip:a SIP/2.0\r\n")).AssertWithheld(InMessage).Say(Client("l: 3\r\n\r\n")).AssertWithheld(InMessage).Say(Client("abc")).AssertProbed();
    }

    [Theory]
    [InlineData("not a message of SIP's: not understood any more", "GET / HTTP/1.1\r\n")]
    [InlineData("a message without a length: not understood any more", "OPTIONS sip:a SIP/2.0\r\n\r\n")]
    [InlineData("a message without a length: not understood any more", "OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n")]
    public void Sip_what_is_no_message_is_not_followed(string why, string client) =>
        Assert.Equal(why, Assert.Single(new SessionBench(new SipProtocol(SessionBench.Start)).Say(Client(client)).Notes).Text);

    [Theory]
    [InlineData(ToClient)]
    [InlineData(ToServer)]
    public void Telnet_a_Timing_Mark_counts_as_a_question_once_one_was_answered(object towardsValue)
    {
        var towards = (Leg)towardsValue;
        SessionBench bench = Telnet();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(towards);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "Timing-Mark"), "FFFD06"), (attempt, Convert.ToHexString(bytes)));
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "NOP"), "FFF1"), (bench.Probe(towards).Attempt, Convert.ToHexString(bench.Probe(towards).Bytes)));
        long before = bench.ToClient.Length + bench.ToServer.Length;
        bench.Say(new WireMessage(towards, [255, 252, 6]));
        Assert.Equal((before, FlowEventKind.ProbeAnswered), (bench.ToClient.Length + bench.ToServer.Length, Assert.Single(bench.Notes).Kind));
        Assert.Equal(ProbeOutcome.Sent, bench.Probe(towards).Attempt.Outcome);
    }

    [Fact]
    public void Telnet_none_to_who_never_negotiated_inside_a_subnegotiation_behind_IAC_or_between_CR_and_LF()
    {
        new SessionBench(new TelnetProtocol(SessionBench.Start)).Say(Client("hello\r\n"), Server("hi\r\n")).AssertWithheld("nothing was negotiated: it may be no Telnet").AssertWithheld("nothing was negotiated: it may be no Telnet", ToClient);
        Telnet().Say(Client(255)).AssertWithheld(InMessage).Say(Client(255)).AssertProbed()
            .Say(Client(255, 250)).AssertWithheld(InMessage).Say(Client(24)).AssertWithheld(InMessage).Say(Client(0, 255, 255)).AssertWithheld(InMessage).Say(Client(255)).AssertWithheld(InMessage).Say(Client(240)).AssertProbed()
            .Say(Client("ls\r")).AssertWithheld(InMessage).AssertProbed(ToClient).Say(Client("\n")).AssertProbed()
            .Say(Client(255, 253, 6)).AssertWithheld("a Timing-Mark of the other end's is unanswered");
    }

    [Theory]
    [InlineData("a command that Telnet does not have: not understood any more", new byte[] { 255, 1 })]
    [InlineData("a subnegotiation without end: not understood any more", new byte[] { 255, 250, 24, 1, 255, 241 })]
    [InlineData("compressed or encrypted from here, kernel keepalive only", new byte[] { 255, 250, 38 })]
    public void Telnet_what_is_none_is_not_followed(string why, byte[] client)
    {
        SessionBench bench = new SessionBench(new TelnetProtocol(SessionBench.Start)).Say(Client(client));
        Assert.Equal((why, client.Length), (Assert.Single(bench.Notes).Text, (int)bench.ToServer.Length));
    }

    private static SessionBench Irc() => new SessionBench(new IrcProtocol(SessionBench.Start, 1)).Say(Client("NICK a\r\n"), Server(":s 001 a :hi\r\n"));

    private static SessionBench Telnet() => new SessionBench(new TelnetProtocol(SessionBench.Start)).Say(Client(255, 253, 1), Server(255, 251, 1));
}
