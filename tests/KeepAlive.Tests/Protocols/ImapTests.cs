using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using static KeepAlive.Tests.Protocols.MailCases;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>IMAP: where NOOP may go, where only words to the client, where nothing.</summary>
public sealed class ImapTests
{
    private const Leg ToClient = Leg.Downstream;
    private const string Unanswered = "a command is unanswered";
    private const string Selected = "a mailbox is selected";

    [Fact]
    public void A_NOOP_has_a_tag_of_its_own_and_its_answer_is_swallowed_while_what_it_brings_passes()
    {
        SessionBench bench = LoggedIn();
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, "NOOP"), "KA000000010001 NOOP\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
        long before = bench.ToClient.Length;
        bench.Now += TimeSpan.FromMilliseconds(3);
        bench.Say(Server("* OK [ALERT] soon\r\n"), new WireMessage(Leg.Upstream, ImapAnswer(Leg.Upstream, bytes)!));
        Assert.Equal(before + "* OK [ALERT] soon\r\n".Length, bench.ToClient.Length);
        Note note = Assert.Single(bench.Notes);
        Assert.Equal((FlowEventKind.ProbeAnswered, TimeSpan.FromMilliseconds(3)), (note.Kind, note.Took));
        Assert.Equal("KA000000010002 NOOP\r\n", Encoding.ASCII.GetString(bench.Probe().Bytes));
    }

    [Fact]
    public void None_before_login_none_during_it()
    {
        new SessionBench(NewImap(1)).AssertWithheld("before login").AssertWithheld("before login", ToClient).Say(Server("* OK hi\r\n")).AssertWithheld("before login").AssertWithheld("before login", ToClient)
            .Say(Client("1 LOGIN u p\r\n")).AssertWithheld("before login").Say(Server("1 NO wrong\r\n")).AssertWithheld("before login")
            .Say(Client("2 AUTHENTICATE PLAIN\r\n"), Server("+ \r\n")).AssertWithheld("before login", ToClient).Say(Client("3 LOGIN is no command here\r\n"), Server("2 OK\r\n")).AssertProbed().AssertProbed(ToClient);
    }

    [Fact]
    public void With_a_mailbox_selected_nothing_goes_to_the_server()
    {
        SessionBench bench = LoggedIn().Say(Client("a SELECT x\r\n")).AssertWithheld(Unanswered).Say(Server("a OK\r\n")).AssertWithheld(Selected).AssertProbed(ToClient);
        bench.Say(Client("b EXAMINE gone\r\n"), Server("b NO\r\n")).AssertProbed(); // the one before is left all the same
        LoggedIn().Say(Client("a examine x\r\n"), Server("a OK\r\n")).AssertWithheld(Selected).Say(Client("b CLOSE\r\n"), Server("b OK\r\n")).AssertProbed();
        LoggedIn().Say(Client("a SELECT x\r\n"), Server("a OK\r\n"), Client("b UNSELECT\r\n"), Server("b BAD\r\n")).AssertWithheld(Selected);
    }

    [Fact]
    public void With_IDLE_open_only_the_client_is_spoken_to()
    {
        SessionBench bench = LoggedIn().Say(Client("a IDLE\r\n")).AssertWithheld("the client idles: it may say nothing but DONE").Say(Server("+ idling\r\n")).AssertWithheld("the client idles: it may say nothing but DONE");
        (ProbeAttempt attempt, byte[] bytes) = bench.Probe(ToClient);
        Assert.Equal((new ProbeAttempt(ProbeOutcome.Refreshed, "* OK Still here"), "* OK Still here\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
        bench.Say(Client("DONE\r\n")).AssertWithheld(Unanswered).Say(Server("a OK\r\n")).AssertProbed();
        LoggedIn().Say(Client("a IDLE\r\n"), Server("a BAD no\r\n")).AssertProbed();
    }

    [Fact]
    public void None_inside_a_literal_or_a_line()
    {
        SessionBench bench = LoggedIn().Say(Client("a FETCH 1 BODY[]\r\n")).AssertProbed(ToClient).Say(Server("* 1 FET")).AssertWithheld("in the middle of a message", ToClient)
            .Say(Server("CH (BODY[] {10}\r\n")).AssertWithheld("in the middle of a message", ToClient).Say(Server("12345\r\n890")).AssertWithheld("in the middle of a message", ToClient)
            .Say(Server(" FLAGS ()")).AssertWithheld("in the middle of a message", ToClient).Say(Server(")\r\n")).AssertProbed(ToClient).Say(Server("a OK\r\n")).AssertProbed();
        // A status has no literals, whatever it looks like.
        bench.Say(Server("* OK as in {5}\r\n")).AssertProbed(ToClient).AssertProbed().Say(Client("b APPEND x {3}\r\n")).AssertWithheld(Unanswered).Say(Server("b NO too large {3}\r\n")).AssertProbed();
    }

    [Fact]
    public void None_once_it_ends_and_none_for_ever()
    {
        LoggedIn().Say(Client("a LOGOUT\r\n")).AssertWithheld(Unanswered).Say(Server("* BYE\r\n")).AssertWithheld("the session is ending").AssertWithheld("the session is ending", ToClient);
        SessionBench bench = LoggedIn();
        bench.Now += TimeSpan.FromMinutes(30) + TimeSpan.FromTicks(1);
        bench.AssertWithheld("no command from the client for 30m0s: the server's own idle policy rules (--hold to override)");
    }

    [Theory]
    [InlineData("not IMAP: not understood", "220 smtp here\r\n", "")]
    [InlineData("not IMAP: not understood", "", "GET / HTTP/1.1\r\n")]
    [InlineData("a command that is none, or one of too many: not understood any more", "* PREAUTH hi\r\n", "lonely\r\n")]
    [InlineData("a command that is none, or one of too many: not understood any more", "* PREAUTH hi\r\n", "a NOOP\r\na NOOP\r\n")]
    [InlineData("a literal that nobody asked for: not understood any more", "* PREAUTH hi\r\n", "a APPEND x {3}\r\nabc\r\n")]
    [InlineData("an answer to nothing: not understood any more", "* PREAUTH hi\r\na OK\r\n", "")]
    public void What_is_not_understood_makes_it_a_plain_relay(string why, string server, string client)
    {
        var bench = new SessionBench(NewImap(1));
        if (server.Length > 0) bench.Say(Server(server));
        if (client.Length > 0) bench.Say(Client(client));
        Assert.Equal((why, true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        Assert.Equal((client.Length, server.Length), ((int)bench.ToServer.Length, (int)bench.ToClient.Length));
    }

    private static SessionBench LoggedIn() => new SessionBench(NewImap(1)).Say(Server("* OK hi\r\n"), Client("0 LOGIN u p\r\n"), Server("0 OK in\r\n"));
}
