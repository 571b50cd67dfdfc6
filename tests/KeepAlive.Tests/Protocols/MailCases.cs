using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Imap;
using KeepAlive.Protocols.Mail;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Sessions of IMAP, POP3, SMTP and NNTP.</summary>
internal static class MailCases
{
    public static IReadOnlyList<ProtocolCase> All { get; } =
    [
        new("imap", NewImap, ImapSession(), ImapAnswer),
        new("imap, logged in before it begins", NewImap, [Server("* PREAUTH hi\r\n"), Client("1 LIST \"\" *\r\n"), Server("* LIST () \"/\" {3}\r\nabc\r\n"), Server("1 OK\r\n")], ImapAnswer),
        new("imap, STARTTLS", NewImap, [Server("* OK hi\r\n"), Client("1 STARTTLS\r\n"), Server("1 OK go\r\n"), Client(0x16, 3, 1, 0), Server(0x16, 3, 3)], ImapAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("imap, compressed", NewImap, [.. ImapSession()[..8], Client("c COMPRESS DEFLATE\r\n"), Server("c OK\r\n"), Client(1, 2, 3), Server(4, 5, 6)], ImapAnswer, IsPlainAtEnd: true),
        new("imap, but TLS", NewImap, [Client(0x16, 3, 1, 0, 2), Server(0x16, 3, 3, 0)], ImapAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("pop3", _ => new Pop3Protocol(SessionBench.Start), Pop3Session(), (_, _) => "+OK\r\n"u8.ToArray()) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("pop3, STLS", _ => new Pop3Protocol(SessionBench.Start), [Server("+OK hi\r\n"), Client("STLS\r\n"), Server("+OK go\r\n"), Client(0x16, 3, 1, 0), Server(0x16, 3, 3)], (_, _) => null, IsPlainAtEnd: true) { IsProbed = false },
        new("smtp", _ => new SmtpProtocol(SessionBench.Start), SmtpSession(), (_, _) => "250 2.0.0 ok\r\n"u8.ToArray()) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("smtp, STARTTLS", _ => new SmtpProtocol(SessionBench.Start), [.. SmtpSession()[..3], Client("STARTTLS\r\n"), Server("220 go\r\n"), Client(0x16, 3, 1, 0), Server(0x16, 3, 3)], (_, _) => "250 ok\r\n"u8.ToArray(), IsPlainAtEnd: true) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("nntp", _ => new NntpProtocol(SessionBench.Start), NntpSession(), (_, _) => "111 20261121120000\r\n"u8.ToArray()) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
    ];

    public static ImapProtocol NewImap(uint seed) => new(SessionBench.Start, seed);

    /// <summary>A NOOP of ours, answered.</summary>
    public static byte[]? ImapAnswer(Leg of, byte[] probe) => of == Leg.Downstream ? null : [.. Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(probe).Split(' ')[0]), .. " OK done\r\n"u8];

    private static WireMessage[] ImapSession() =>
    [
        Server("* OK [CAPABILITY IMAP4rev1] no literal {5}\r\n"), Client("a1 LOGIN {4}\r\n"), Server("+ go on\r\n"), Client("user {6}\r\n"), Server("+ \r\n"), Client("secret\r\n"),
        Server("* CAPABILITY IMAP4rev1\r\n"), Server("a1 OK in\r\n"),
        Client("a2 NOOP\r\n"), Client("a3 LIST \"\" *\r\n"), Server("a2 OK\r\n"), Server("* LIST () \"/\" INBOX\r\n"), Server("a3 OK\r\n"),
        Client("a4 SELECT INBOX\r\n"), Server("* 3 EXISTS\r\n"), Server("a4 OK [READ-WRITE] done\r\n"),
        Client("a5 FETCH 1 BODY[]\r\n"), Server($"* 1 FETCH (BODY[] {{5000}}\r\n{new string('m', 5000)} UID 4)\r\n"), Server("a5 OK\r\n"),
        Client("a6 SEARCH ALL\r\n"), Server($"* SEARCH{string.Concat(Enumerable.Range(1, 1500).Select(n => $" {n}"))}\r\n"), Server("a6 OK\r\n"),
        Client("a7 APPEND x {3+}\r\nabc\r\n"), Server("a7 OK\r\n"), Client("a8 APPEND x {3000}\r\n"), Server("a8 NO too large\r\n"),
        Client("a9 IDLE\r\n"), Server("+ idling\r\n"), Server("* 4 EXISTS\r\n"), Client("DONE\r\n"), Server("a9 OK\r\n"),
        Client("b1 CLOSE\r\n"), Server("b1 OK\r\n"), Client($"b2 CREATE {new string('x', 2000)} {{0}}\r\n"), Server("+ \r\n"), Client("\r\n"), Server("b2 OK\r\n"),
        Client("b3 LOGOUT\r\n"), Server("* BYE\r\n"), Server("b3 OK\r\n"),
    ];

    private static WireMessage[] Pop3Session() =>
    [
        Server("+OK hi <1@a>\r\n"), Client("CAPA\r\n"), Server("+OK\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"), Client("AUTH PLAIN\r\n"), Server("+ \r\n"), Client("*\r\n"), Server("-ERR no\r\n"),
        Client("USER u\r\n"), Server("+OK\r\n"), Client("PASS p\r\n"), Server("+OK in\r\n"), Client("STAT\r\n"), Client("LIST\r\n"), Server("+OK 1 5000\r\n"), Server("+OK\r\n1 5000\r\n.\r\n"),
        Client("RETR 1\r\n"), Server($"+OK\r\nSubject: x\r\n\r\n..dot\r\n{new string('m', 5000)}\r\n.\r\n"), Client("UIDL 1\r\n"), Server("+OK 1 a\r\n"), Client("NOOP\r\n"), Server("+OK\r\n"), Client("QUIT\r\n"), Server("+OK bye\r\n"),
    ];

    private static WireMessage[] SmtpSession() =>
    [
        Server("220-hi\r\n220 there\r\n"), Client("EHLO a\r\n"), Server("250-a\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), Client("AUTH LOGIN\r\n"), Server("334 VXNlcm5hbWU6\r\n"), Client("dQ==\r\n"), Server("334 UGFzc3dvcmQ6\r\n"), Client("cA==\r\n"), Server("235 in\r\n"),
        Client("MAIL FROM:<a>\r\n"), Client("RCPT TO:<b>\r\n"), Client("DATA\r\n"), Server("250 ok\r\n"), Server("250 ok\r\n"), Server("354 go\r\n"), Client($"Subject: x\r\n\r\nQUIT\r\n..\r\n{new string('m', 5000)}\r\n.\r\n"), Server("250 queued\r\n"),
        Client("MAIL FROM:<a>\r\n"), Server("250 ok\r\n"), Client("BDAT 6\r\nDATA\r\n"), Server("250 ok\r\n"), Client("BDAT 3 LAST\r\nabc"), Server("250 queued\r\n"),
        Client("NOOP\r\n"), Server("250 ok\r\n"), Client("MAIL FROM:<c>\r\n"), Server("550 no\r\n"), Client("RSET\r\n"), Server("250 ok\r\n"), Client("QUIT\r\n"), Server("221 bye\r\n"),
    ];

    private static WireMessage[] NntpSession() =>
    [
        Server("200 hi\r\n"), Client("MODE READER\r\n"), Server("200 ok\r\n"), Client("AUTHINFO USER u\r\n"), Server("381 more\r\n"), Client("AUTHINFO PASS p\r\n"), Server("281 in\r\n"),
        Client("GROUP a.b\r\n"), Server("211 3 1 3 a.b\r\n"), Client("LISTGROUP\r\n"), Server("211 3 1 3 a.b\r\n1\r\n2\r\n3\r\n.\r\n"), Client("ARTICLE 1\r\n"), Server($"220 1 <x>\r\nSubject: y\r\n\r\n{new string('n', 5000)}\r\n..\r\n.\r\n"),
        Client("POST\r\n"), Server("340 go\r\n"), Client("Subject: z\r\n\r\nQUIT\r\n.\r\n"), Server("240 ok\r\n"), Client("TAKETHIS <y>\r\nSubject: w\r\n\r\nx\r\n.\r\n"), Server("239 <y>\r\n"),
        Client("DATE\r\n"), Client("ARTICLE 9\r\n"), Server("111 20261121120000\r\n"), Server("423 none\r\n"), Client("QUIT\r\n"), Server("205 bye\r\n"),
    ];
}
