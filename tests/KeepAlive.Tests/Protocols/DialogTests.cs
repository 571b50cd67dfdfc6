using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Mail;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>SMTP, POP3 and NNTP: a command of ours goes with nothing open, and the next reply is its.</summary>
public sealed class DialogTests
{
    private const string Unanswered = "a command is unanswered";
    private const string InMessage = "in the middle of a message";

    [Fact]
    public void The_reply_to_ours_is_swallowed_and_the_clients_that_follows_is_its_own()
    {
        foreach ((SessionBench bench, string ours, string reply) in (IEnumerable<(SessionBench, string, string)>)[(Smtp(), "NOOP", "250-still\r\n250 here\r\n"), (Pop3(), "NOOP", "+OK\r\n"), (Nntp(), "DATE", "111 20261121120000\r\n")])
        {
            long before = bench.ToClient.Length;
            (ProbeAttempt attempt, byte[] bytes) = bench.Probe();
            Assert.Equal((new ProbeAttempt(ProbeOutcome.Sent, ours), ours + "\r\n"), (attempt, Encoding.ASCII.GetString(bytes)));
            bench.AssertProbed().Say(Client($"{ours}\r\n")).AssertWithheld(Unanswered);
            bench.Now += TimeSpan.FromMilliseconds(3);
            bench.Say(Server(reply), Server(reply));
            Assert.Equal((before, 2), (bench.ToClient.Length, bench.Notes.Count(n => n.Kind == FlowEventKind.ProbeAnswered)));
            bench.Say(Server(reply));
            Assert.Equal(before + reply.Length, bench.ToClient.Length);
            bench.AssertProbed();
        }
    }

    [Theory]
    [InlineData("421 idle for too long\r\n")]
    [InlineData("-ERR gone\r\n")]
    [InlineData("400 idle for too long\r\n")]
    public void A_server_that_leaves_instead_of_answering_is_heard(string farewell)
    {
        SessionBench bench = farewell[0] == '-' ? Pop3() : farewell[1] == '2' ? Smtp() : Nntp();
        if (farewell[0] != '-') bench.AssertProbed(); // POP3's has no mark
        long before = bench.ToClient.Length;
        bench.Say(Server(farewell));
        Assert.Equal(before + farewell.Length, bench.ToClient.Length);
        bench.AssertWithheld("the session is ending");
    }

    [Fact]
    public void A_server_that_refuses_ours_is_not_asked_again()
    {
        Smtp().AssertProbed().Say(Server("502 no\r\n")).AssertWithheld("the server does not take NOOP");
        Pop3().AssertProbed().Say(Server("-ERR no\r\n")).AssertWithheld("the server does not take NOOP");
        Nntp().AssertProbed().Say(Server("480 who are you\r\n")).AssertWithheld("the server does not take DATE");
    }

    [Fact]
    public void Smtp_none_before_EHLO_in_a_mail_its_text_or_a_login()
    {
        new SessionBench(new SmtpProtocol(SessionBench.Start)).AssertWithheld("before the server's greeting").Say(Server("220-hi\r\n")).AssertWithheld("before the server's greeting").Say(Server("220 there\r\n")).AssertWithheld("before EHLO")
            .Say(Client("EHLO a\r\n")).AssertWithheld(Unanswered).Say(Server("250-a\r\n")).AssertWithheld(Unanswered).Say(Server("250 b\r\n")).AssertProbed();
        Smtp().Say(Client("AUTH LOGIN\r\n"), Server("334 x\r\n")).AssertWithheld(InMessage).Say(Client("NOOP\r\n")).AssertWithheld(Unanswered).Say(Server("535 no\r\n")).AssertProbed();
        Smtp().Say(Client("MAIL FROM:<a>\r\n")).AssertWithheld(Unanswered).Say(Server("250 ok\r\n")).AssertWithheld("a mail is under way")
            .Say(Client("DATA\r\n")).AssertWithheld(Unanswered).Say(Server("354 go\r\n")).AssertWithheld(InMessage).Say(Client("QUIT\r\n")).AssertWithheld(InMessage)
            .Say(Client(".\r\n")).AssertWithheld(Unanswered).Say(Server("250 queued\r\n")).AssertProbed();
        Smtp().Say(Client("MAIL FROM:<a>\r\n"), Server("250 ok\r\n"), Client("BDAT 3\r\n")).AssertWithheld(InMessage).Say(Client("abc")).AssertWithheld(Unanswered).Say(Server("250 ok\r\n")).AssertWithheld("a mail is under way")
            .Say(Client("BDAT 0 LAST\r\n"), Server("250 ok\r\n")).AssertProbed();
        Smtp().Say(Client("MAIL FROM:<a>\r\n"), Server("250 ok\r\n"), Client("RSET\r\n"), Server("250 ok\r\n")).AssertProbed();
        Smtp().Say(Client("MAIL FROM:<a>\r\n"), Server("550 no\r\n")).AssertProbed();
        Smtp().Say(Client("XCLIENT NAME=b\r\n"), Server("220 again\r\n")).AssertWithheld("before EHLO");
        Smtp().Say(Client("QUIT\r\n")).AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData(null, 6)]
    [InlineData(60, 19)]
    public void Smtp_few_a_session_and_the_clients_own_idle_commands_among_them(int? holdMinutes, int most)
    {
        TimeSpan? hold = holdMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null;
        SessionBench bench = new SessionBench(new SmtpProtocol(SessionBench.Start, hold)).Say(Server("220 hi\r\n"), Client("EHLO a\r\n"), Server("250 a\r\n"), Client("NOOP\r\n"), Server("250 ok\r\n"), Client("RSET\r\n"), Server("250 ok\r\n"));
        for (int i = 2; i < most; i++) bench.AssertProbed().Say(Server("250 ok\r\n"));
        bench.AssertWithheld($"{most} NOOPs were sent: servers take more for abuse");
    }

    [Fact]
    public void Pop3_none_before_login_or_inside_a_reply()
    {
        new SessionBench(new Pop3Protocol(SessionBench.Start)).AssertWithheld("before the server's greeting").Say(Server("+OK hi\r\n")).AssertWithheld("before login")
            .Say(Client("AUTH PLAIN\r\n"), Server("+ \r\n")).AssertWithheld(InMessage).Say(Client("STAT\r\n")).AssertWithheld(Unanswered).Say(Server("+OK\r\n")).AssertProbed();
        Pop3().Say(Client("RETR 1\r\n"), Server("+OK\r\n")).AssertWithheld(Unanswered).Say(Server("+OK\r\n..\r\n")).AssertWithheld(Unanswered).Say(Server(".\r\n")).AssertProbed();
        Pop3().Say(Client("LIST 1\r\n"), Server("+OK 1 2\r\n")).AssertProbed();
        Pop3().Say(Client("QUIT\r\n")).AssertWithheld("the session is ending");
    }

    [Fact]
    public void Nntp_none_inside_a_reply_or_an_article()
    {
        new SessionBench(new NntpProtocol(SessionBench.Start)).AssertWithheld("before the server's greeting").Say(Server("201 hi\r\n")).AssertProbed();
        Nntp().Say(Client("LISTGROUP\r\n"), Server("211 1\r\n")).AssertWithheld(Unanswered).Say(Server("1\r\n.\r\n")).AssertProbed().Say(Server("111 1\r\n"), Client("GROUP a\r\n"), Server("211 1\r\n")).AssertProbed();
        Nntp().Say(Client("POST\r\n"), Server("340 go\r\n")).AssertWithheld(InMessage).Say(Client("x\r\n.\r\n")).AssertWithheld(Unanswered).Say(Server("240 ok\r\n")).AssertProbed();
        Nntp().Say(Client("TAKETHIS <a>\r\n")).AssertWithheld(InMessage).Say(Client(".\r\n"), Server("239 <a>\r\n")).AssertProbed();
        Nntp().Say(Client("IHAVE <a>\r\n"), Server("435 no\r\n")).AssertProbed().Say(Client("QUIT\r\n")).AssertWithheld("the session is ending");
    }

    [Theory]
    [InlineData("a command that is not known: not understood any more", "pop3", "XTND XMIT\r\n", "")]
    [InlineData("a reply that is none: not understood any more", "pop3", "STAT\r\n", "* what\r\n")]
    [InlineData("a reply that is none: not understood any more", "smtp", "HELP\r\n", "25 x\r\n")]
    [InlineData("a reply that is none: not understood any more", "smtp", "HELP\r\n", "250x\r\n")]
    [InlineData("LHLO: not understood any more", "smtp", "LHLO a\r\n", "")]
    [InlineData("BDAT: not understood any more", "smtp", "BDAT many\r\n", "")]
    [InlineData("STARTTLS: nothing can be read from here, kernel keepalive only", "smtp", "STARTTLS\r\n", "220 go\r\n")]
    [InlineData("STLS: encrypted from here, kernel keepalive only", "pop3", "STLS\r\n", "+OK\r\n")]
    [InlineData("COMPRESS: nothing can be read from here, kernel keepalive only", "nntp", "COMPRESS DEFLATE\r\n", "206 go\r\n")]
    [InlineData("STARTTLS: nothing can be read from here, kernel keepalive only", "nntp", "STARTTLS\r\n", "382 go\r\n")]
    [InlineData("a command that is none, or one of too many: not understood any more", "nntp", "\r\n", "")]
    public void What_is_not_understood_makes_it_a_plain_relay(string why, string name, string client, string server)
    {
        SessionBench bench = name == "smtp" ? Smtp() : name == "pop3" ? Pop3() : Nntp();
        (long toServer, long toClient) = (bench.ToServer.Length, bench.ToClient.Length);
        bench.Say(Client(client));
        if (server.Length > 0) bench.Say(Server(server));
        Assert.Equal((why, true), (Assert.Single(bench.Notes).Text, bench.Protocol.IsPlain));
        Assert.Equal((toServer + client.Length, toClient + server.Length), (bench.ToServer.Length, bench.ToClient.Length));
    }

    [Fact]
    public void A_client_that_speaks_first_is_of_another_protocol()
    {
        SessionBench bench = new SessionBench(new SmtpProtocol(SessionBench.Start)).Say(Client("GET / HTTP/1.1\r\n"));
        Assert.Equal("the client speaks before the server: not understood", Assert.Single(bench.Notes).Text);
        bench = new SessionBench(new Pop3Protocol(SessionBench.Start)).Say(Client(0x16, 3, 1));
        Assert.Equal("TLS from the first byte: encrypted, kernel keepalive only", Assert.Single(bench.Notes).Text);
    }

    private static SessionBench Smtp() => new SessionBench(new SmtpProtocol(SessionBench.Start)).Say(Server("220 hi\r\n"), Client("EHLO a\r\n"), Server("250 a\r\n"));

    private static SessionBench Pop3() => new SessionBench(new Pop3Protocol(SessionBench.Start)).Say(Server("+OK hi\r\n"), Client("USER u\r\n"), Server("+OK\r\n"), Client("PASS p\r\n"), Server("+OK\r\n"));

    private static SessionBench Nntp() => new SessionBench(new NntpProtocol(SessionBench.Start)).Say(Server("200 hi\r\n"));
}
