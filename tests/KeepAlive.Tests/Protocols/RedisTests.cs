using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Redis;
using static KeepAlive.Tests.Protocols.ProtocolCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Redis: when a PING may go, and whose answer is whose.</summary>
public sealed class RedisTests
{
    private const string Open = "a command is unanswered";

    [Fact]
    public void A_PING_is_sent_and_its_text_swallowed()
    {
        SessionBench bench = LetIn();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal(new ProbeAttempt(ProbeOutcome.Sent, "PING"), attempt);
        Assert.Matches(@"^\*2\r\n\$4\r\nPING\r\n\$34\r\nkeepalive:[0-9a-f]{24}\r\n$", Encoding.ASCII.GetString(bytes));
        long before = bench.ToClient.Length;
        bench.Now += TimeSpan.FromMilliseconds(2);
        bench.Say(Server(bytes[14..]));
        Assert.Equal(before, bench.ToClient.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(2)), (note.Kind, note.Took));
    }

    [Fact]
    public void A_command_that_meets_ours_gets_its_own_answer()
    {
        SessionBench bench = LetIn();
        byte[] ping = bench.Probe().Bytes;
        bench.Say(Command("GET", "a")).AssertWithheld(Open);
        long before = bench.ToClient.Length;
        bench.Say(Server([.. ping[14..], .. "$1\r\nx\r\n"u8]));
        Assert.Equal(before + 7, bench.ToClient.Length);
        bench.AssertProbed();
    }

    [Fact]
    public void A_user_that_may_not_PING_is_not_asked_again_and_never_hears_of_it()
    {
        SessionBench bench = LetIn().AssertProbed().Say(Command("GET", "a"));
        long before = bench.ToClient.Length;
        bench.Say(Server("-NOPERM User x has no permissions to run the 'ping' command\r\n"));
        Assert.Equal(before, bench.ToClient.Length);
        bench.AssertWithheld("this user may not PING").Say(Server("-ERR really the client's\r\n"));
        Assert.True(bench.ToClient.Length > before);
    }

    [Fact]
    public void None_before_the_client_is_let_in()
    {
        const string NotYet = "nothing was answered yet";
        var bench = new SessionBench(New());
        bench.AssertWithheld(NotYet).Say(Command("GET", "a"), Server("-NOAUTH Authentication required.\r\n")).AssertWithheld(NotYet)
            .Say(Command("AUTH", "x"), Server("+OK\r\n")).AssertProbed();
    }

    [Fact]
    public void None_with_a_command_open_which_may_block()
    {
        LetIn().Say(Command("BLPOP", "q", "0")).AssertWithheld(Open).Say(Server("*2\r\n$1\r\nq\r\n$1\r\nx\r\n")).AssertProbed()
            .Say(Command("GET", "a"), Command("GET", "b")).AssertWithheld(Open).Say(Server("$-1\r\n")).AssertWithheld(Open).Say(Server("$-1\r\n")).AssertProbed();
    }

    [Fact]
    public void None_in_MULTI_where_it_would_come_in_the_result()
    {
        const string InMulti = "in MULTI";
        LetIn().Say(Command("multi")).AssertWithheld(InMulti).Say(Server("+OK\r\n")).AssertWithheld(InMulti).Say(Command("INCR", "n"), Server("+QUEUED\r\n")).AssertWithheld(InMulti)
            .Say(Command("EXEC")).AssertWithheld(Open).Say(Server("*1\r\n:1\r\n")).AssertProbed();
        LetIn().Say(Client("MULTI\r\n"), Server("+OK\r\n")).AssertWithheld(InMulti).Say(Client("discard \r\n"), Server("+OK\r\n")).AssertProbed();
    }

    [Theory]
    [InlineData("ASKING")]
    [InlineData("CLIENT", "CACHING", "YES")]
    public void None_behind_what_is_about_the_next_command(params string[] command)
    {
        LetIn().Say(Command(command), Server("+OK\r\n")).AssertWithheld("the last command is about the next").Say(Command("GET", "a"), Server("$-1\r\n")).AssertProbed();
    }

    [Theory]
    [InlineData("CLIENT REPLY may leave answers out", "CLIENT", "REPLY", "SKIP")]
    [InlineData("CLIENT REPLY may leave answers out", "client", "reply", "off")]
    [InlineData("the session is a monitor or a replica", "MONITOR")]
    [InlineData("the session is a monitor or a replica", "PSYNC", "?", "-1")]
    [InlineData("the session is ending", "QUIT")]
    [InlineData("after RESET it is not known who is let in", "RESET")]
    public void None_ever_after(string why, params string[] command) => LetIn().Say(Command(command), Server("+OK\r\n")).AssertWithheld(why);

    [Fact]
    public void None_between_the_words_of_a_command()
    {
        byte[] command = Command("SET", "key", "value").Bytes;
        const string Inside = "in the middle of a message";
        SessionBench bench = LetIn();
        for (int at = 1; at < command.Length; at++) LetIn().Say(Client(command[..at])).AssertWithheld(Inside);
        bench.Say(Client(command)).AssertWithheld(Open);
    }

    [Fact]
    public void A_subscriber_is_kept_whatever_comes_unasked()
    {
        SessionBench bench = LetIn().Say(Command("SUBSCRIBE", "a"), Server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"));
        byte[] ping = bench.Probe().Bytes;
        long before = bench.ToClient.Length;
        WireMessage message = Server("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n");
        bench.Say(message, Server([.. "*2\r\n$4\r\npong\r\n"u8, .. ping[14..]]), message);
        Assert.Equal(before + (2 * message.Bytes.Length), bench.ToClient.Length);
        bench.AssertProbed();
    }

    [Theory]
    [InlineData("TLS from the first byte: encrypted, kernel keepalive only", Leg.Downstream, "\u0016\u0003\u0001")]
    [InlineData("not a command of Redis': not understood any more", Leg.Downstream, "*1\r\n:1\r\n")]
    [InlineData("not a command of Redis': not understood any more", Leg.Downstream, "*-1\r\n")]
    [InlineData("not a command of Redis': not understood any more", Leg.Downstream, "\0\0")]
    [InlineData("not Redis' protocol: not understood any more", Leg.Upstream, "HTTP/1.1 400\r\n")]
    [InlineData("not Redis' protocol: not understood any more", Leg.Upstream, "$?\r\n")]
    [InlineData("not Redis' protocol: not understood any more", Leg.Upstream, "*99999999999\r\n")]
    public void What_is_no_RESP_makes_it_a_plain_relay(string why, object fromValue, string text)
    {
        var from = (Leg)fromValue;
        WireMessage strange = from == Leg.Downstream ? Client(text) : Server(text);
        SessionBench bench = LetIn().Say(strange);
        Assert.Equal((why, true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        Assert.Equal(strange.Bytes, (from == Leg.Downstream ? bench.ToServer : bench.ToClient).ToArray()[^strange.Bytes.Length..]);
    }

    private static SessionBench LetIn() => new SessionBench(New()).Say(Command("GET", "a"), Server("$-1\r\n"));

    private static RedisProtocol New() => new(SessionBench.Start, 7);
}
