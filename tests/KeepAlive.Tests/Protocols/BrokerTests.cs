using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Amqp;
using KeepAlive.Protocols.MySql;
using KeepAlive.Protocols.Nats;
using KeepAlive.Protocols.Stomp;
using static KeepAlive.Tests.Protocols.BrokerCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>MySQL, AMQP, NATS and STOMP: when something of ours may go, and whose answer is whose.</summary>
public sealed class BrokerTests
{
    private const Leg ToClient = Leg.Downstream;
    private const string InMessage = "in the middle of a message";
    private const string Unanswered = "a command is unanswered";

    [Fact]
    public void MySql_a_ping_s_answer_is_swallowed_and_that_of_the_client_s_that_meets_it_passes()
    {
        SessionBench bench = MySql();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "COM_PING"), "010000000E"), (attempt, Convert.ToHexString(bytes)));
        long before = bench.ToClient.Length;
        bench.Now += TimeSpan.FromMilliseconds(3);
        bench.Say(Query("SELECT 1")).AssertWithheld(Unanswered).Say(Ok(1));
        Assert.Equal((before, TimeSpan.FromMilliseconds(3)), (bench.ToClient.Length, Assert.Single(bench.Notes).Took));
        bench.Say(Result(0));
        Assert.Equal(before + Result(0).Bytes.Length, bench.ToClient.Length);
        bench.AssertProbed();
    }

    [Fact]
    public void MySql_none_during_login_an_answer_a_file_or_a_transaction()
    {
        new SessionBench(new MySqlProtocol(SessionBench.Start)).AssertWithheld("before login").Say(Greeting(0x200)).AssertWithheld("before login").Say(Login(0x200)).AssertWithheld("before login").Say(Ok(2)).AssertProbed();
        byte[] result = Result(0).Bytes;
        MySql().Say(Query("SELECT 1")).AssertWithheld(Unanswered).Say(Server(result[..200])).AssertWithheld(Unanswered).Say(Server(result[200..^3])).AssertWithheld(Unanswered).Say(Server(result[^3..])).AssertProbed();
        MySql().Say(Query("CALL p"), Result(0, flags: 0x0A)).AssertWithheld(Unanswered).Say(Ok(9)).AssertProbed();
        MySql().Say(Query("LOAD"), Packet(Leg.Upstream, 1, 0xFB, 1)).AssertWithheld(InMessage).Say(Packet(ToClient, 2, 3, 1)).AssertWithheld(InMessage).Say(Packet(ToClient, 3)).AssertWithheld(Unanswered).Say(Ok(4)).AssertProbed();
        MySql().Say(Query("BEGIN"), Ok(1, flags: 3)).AssertWithheld("in a transaction").Say(Query("COMMIT"), Ok(1)).AssertProbed();
        MySql().Say(Query("SET autocommit=0")).Say(Ok(1, flags: 0)).AssertProbed().Say(Ok(1), Query("SELECT 1"), Result(0, flags: 1)).AssertWithheld("in a transaction");
        MySql().Say(Packet(ToClient, 0, 0x11, 1)).AssertWithheld(Unanswered).Say(Packet(Leg.Upstream, 1, 0xFE, 1, 1)).AssertWithheld(Unanswered).Say(Packet(ToClient, 2, 9), Packet(Leg.Upstream, 3, 1, 4)).AssertWithheld(Unanswered).Say(Ok(4)).AssertProbed();
        MySql().Say(Packet(ToClient, 0, 1)).AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void MySql_none_for_a_minute_after_rows_were_changed_or_warned_about(byte rows, byte warnings)
    {
        SessionBench bench = MySql().Say(Query("UPDATE"), Ok(1, rows, 2, warnings)).AssertWithheld("ROW_COUNT() and warnings of a statement may be asked for: not for a minute");
        bench.Now += TimeSpan.FromMinutes(1);
        bench.AssertProbed();
        // They are about the last statement alone.
        MySql().Say(Query("UPDATE"), Ok(1, rows, 2, warnings), Query("COMMIT"), Ok(1)).AssertProbed();
    }

    [Fact]
    public void MySql_a_server_that_leaves_instead_of_answering_is_heard()
    {
        SessionBench bench = MySql().AssertProbed();
        long before = bench.ToClient.Length;
        bench.Say(Packet(Leg.Upstream, 0, [0xFF, 0xBF, 0x0F, .. "#08S01idle"u8]));
        Assert.True(bench.ToClient.Length > before);
        bench.AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData("the client speaks before the server: not understood", "", "474554")]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", "", "160301")]
    [InlineData("not MySQL: not understood", "0500000032323020", "")]
    public void MySql_what_is_none_is_not_followed(string why, string server, string client)
    {
        var bench = new SessionBench(new MySqlProtocol(SessionBench.Start));
        bench.Say(server.Length > 0 ? Server([.. Convert.FromHexString(server), 0x0A]) : Client(Convert.FromHexString(client)));
        Assert.Equal(why, Assert.Single(bench.Notes).Text);
    }

    [Fact]
    public void MySql_commands_and_answers_that_are_not_known_are_not_followed()
    {
        const string Command = "a command that is not known, or one of too many: not understood any more", Answer = "an answer that is none: not understood any more", Nothing = "an answer to nothing: not understood any more";
        Assert.Equal(Command, Assert.Single(MySql().Say(Packet(ToClient, 0, 0x12)).Notes).Text); // replication
        Assert.Equal(Command, Assert.Single(MySql().Say(Packet(ToClient, 1, 3)).Notes).Text);
        Assert.Equal(Answer, Assert.Single(MySql().Say(Query("x"), Packet(Leg.Upstream, 1, 0xFB + 1, 0, 0)).Notes).Text);
        Assert.Equal(Nothing, Assert.Single(MySql().Say(Ok(1)).Notes).Text);
        Assert.Equal(Nothing, Assert.Single(MySql().AssertProbed().Say(Result(0)).Notes).Text); // not what a ping gets
    }

    [Fact]
    public void Amqp_a_heartbeat_goes_between_frames_of_an_open_connection()
    {
        const string NotOpen = "the connection is not open yet";
        SessionBench bench = new SessionBench(new AmqpProtocol(SessionBench.Start)).AssertWithheld(NotOpen).Say(Header(0, 0, 9, 1), Method(Leg.Upstream, 10, 10)).AssertWithheld(NotOpen).AssertWithheld(NotOpen, ToClient)
            .Say(Method(ToClient, 10, 40)).AssertWithheld(NotOpen).Say(Method(Leg.Upstream, 10, 41));
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "heartbeat"), "08000000000000CE"), (attempt, Convert.ToHexString(bytes)));
        byte[] body = Frame091(ToClient, 3, 1, new byte[100]).Bytes;
        bench.AssertProbed(ToClient).Say(Client(body[..50])).AssertWithheld(InMessage).AssertProbed(ToClient).Say(Client(body[50..])).AssertProbed()
            .Say(Method(Leg.Upstream, 10, 50)).AssertWithheld("the connection is closing").AssertWithheld("the connection is closing", ToClient);
    }

    [Fact]
    public void Amqp10_an_empty_frame_goes_once_both_have_opened()
    {
        const string NotOpen = "the connection is not open yet";
        SessionBench bench = new SessionBench(new AmqpProtocol(SessionBench.Start)).Say(Header(0, 1, 0, 0), Server([.. "AMQP"u8, 0, 1, 0, 0]), Frame10(ToClient, 0, 0, 0x53, 0x10, 0x45)).AssertWithheld(NotOpen)
            .Say(Frame10(Leg.Upstream, 0, 0, 0x53, 0x10, 0x45));
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "empty frame"), "0000000802000000"), (attempt, Convert.ToHexString(bytes)));
        bench.AssertProbed(ToClient).Say(Frame10(ToClient, 0, 0, 0x53, 0x18, 0x45)).AssertWithheld("the connection is closing");
    }

    [Theory]
    [InlineData("not AMQP: not understood", "474554202F")]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", "160301")]
    [InlineData("a version of AMQP that is not known, or refused", "414D515000000008")]
    [InlineData("not a frame of AMQP's: not understood any more", "414D515000000901FF")]
    [InlineData("not a frame of AMQP's: not understood any more", "414D5150000100000000000702000000")]
    public void Amqp_what_is_none_is_not_followed(string why, string client)
    {
        SessionBench bench = new SessionBench(new AmqpProtocol(SessionBench.Start)).Say(Client(Convert.FromHexString(client)));
        Assert.Equal((why, client.Length / 2), (Assert.Single(bench.Notes).Text, (int)bench.ToServer.Length));
    }

    [Theory]
    [InlineData(ToClient)]
    [InlineData(Leg.Upstream)]
    public void Nats_a_PING_s_answer_is_swallowed_and_that_of_the_other_end_s_passes(object towardsValue)
    {
        var towards = (Leg)towardsValue;
        SessionBench bench = Nats();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(towards);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "PING"), "PING\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
        bench.Say(new WireMessage(towards.Other(), "PING\r\n"u8.ToArray())).AssertWithheld("a PING of the other end's is unanswered", towards);
        long before = bench.ToClient.Length + bench.ToServer.Length;
        bench.Say(new WireMessage(towards, "PONG\r\n"u8.ToArray()));
        Assert.Equal(before, bench.ToClient.Length + bench.ToServer.Length);
        bench.Say(new WireMessage(towards, "PONG\r\n"u8.ToArray()));
        Assert.Equal(before + 6, bench.ToClient.Length + bench.ToServer.Length);
        bench.AssertProbed(towards);
    }

    [Fact]
    public void Nats_none_before_the_client_is_connected_or_inside_a_payload()
    {
        const string NotYet = "before the client is connected";
        new SessionBench(new NatsProtocol(SessionBench.Start)).AssertWithheld(NotYet).Say(Server("INFO {}\r\n")).AssertWithheld(NotYet).Say(Client("CONNECT {}\r\n")).AssertWithheld(NotYet).AssertWithheld(NotYet, ToClient)
            .Say(Server("+OK\r\n")).AssertProbed().AssertProbed(ToClient);
        Nats().Say(Client("PUB a 6\r\n")).AssertWithheld(InMessage).Say(Client("PING\r\n")).AssertWithheld(InMessage).AssertProbed(ToClient).Say(Client("\r\n")).AssertProbed()
            .Say(Server("MSG a 1 2\r\nab\r")).AssertWithheld(InMessage, ToClient).Say(Server("\n")).AssertProbed(ToClient);
        Assert.Equal("not a message of NATS': not understood any more", Assert.Single(new SessionBench(new NatsProtocol(SessionBench.Start)).Say(Client("GET / HTTP/1.1\r\n")).Notes).Text);
    }

    [Theory]
    [InlineData("5000,0", "0,5000", true, false)]
    [InlineData("0,5000", "5000,0", false, true)]
    [InlineData("5000,5000", "0,0", false, false)]
    [InlineData("0,0", "5000,5000", false, false)]
    [InlineData("x", "5000,5000", false, false)]
    public void Stomp_a_heart_beat_goes_only_where_it_was_offered_and_wanted(string ofClient, string ofServer, bool isUp, bool isDown)
    {
        SessionBench bench = new SessionBench(new StompProtocol()).AssertWithheld("the client is not connected yet").Say(StompSession(ofClient, ofServer)[..2]);
        Assert.Equal(isUp ? new ProbeAttempt(ProbeOutcome.Refreshed, "heart-beat") : new ProbeAttempt(ProbeOutcome.Withheld, "no heart-beats were agreed on in this direction"), bench.Probe().Attempt);
        Assert.Equal(isDown ? "\n" : "", Encoding.ASCII.GetString(bench.Probe(ToClient).Bytes));
    }

    [Fact]
    public void Stomp_none_inside_a_frame_or_once_it_ends()
    {
        SessionBench bench = new SessionBench(new StompProtocol()).Say(StompSession("1,1", "1,1")[..2]).AssertProbed().AssertProbed(ToClient);
        bench.Say(Client("SEND\n")).AssertWithheld(InMessage).AssertProbed(ToClient).Say(Client("content-length:3\n\na\0")).AssertWithheld(InMessage).Say(Client("b")).AssertWithheld(InMessage).Say(Client("\0")).AssertProbed()
            .Say(Client("\r")).AssertWithheld(InMessage).Say(Client("\n")).AssertProbed().Say(Server("ERROR\n\n")).AssertWithheld("the session is ending");
        Assert.Equal("not a frame of STOMP's: not understood any more", Assert.Single(new SessionBench(new StompProtocol()).Say(Client("get")).Notes).Text);
        Assert.Equal("not a frame of STOMP's: not understood any more", Assert.Single(new SessionBench(new StompProtocol()).Say(Client("SEND\ncontent-length:x\n\n")).Notes).Text);
        Assert.Equal("not a frame of STOMP's: not understood any more", Assert.Single(new SessionBench(new StompProtocol()).Say(Client("SEND" + new string('x', 40_000))).Notes).Text);
    }

    private static SessionBench MySql() => new SessionBench(new MySqlProtocol(SessionBench.Start)).Say(Greeting(0x200), Login(0x200), Ok(2));

    private static SessionBench Nats() => new SessionBench(new NatsProtocol(SessionBench.Start)).Say(Server("INFO {}\r\n"), Client("CONNECT {}\r\n"), Server("+OK\r\n"));
}
