using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Irc;
using KeepAlive.Protocols.Sip;
using KeepAlive.Protocols.Telnet;
using KeepAlive.Protocols.Xmpp;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Sessions of IRC, XMPP, SIP and Telnet.</summary>
internal static class ChatCases
{
    public const string StreamOfClient = "<?xml version='1.0'?>\n<stream:stream to='a' xmlns=\"jabber:client\" xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
    public const string StreamOfServer = "<stream:stream from='a' id='1>2' version='1.0'>";

    public static IReadOnlyList<ProtocolCase> All { get; } =
    [
        new("irc", seed => new IrcProtocol(SessionBench.Start, seed), IrcSession(), IrcAnswer),
        new("irc, between servers", seed => new IrcProtocol(SessionBench.Start, seed), [Client("SERVER a 1 :b\r\n"), Server("SERVER c 1 :d\r\n")], IrcAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("irc, STARTTLS", seed => new IrcProtocol(SessionBench.Start, seed), [Client("STARTTLS\r\n"), Server(":a 670 * :go\r\n"), Client(0x16, 3, 1), Server(0x16, 3, 3)], IrcAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("xmpp", _ => new XmppProtocol(), XmppSession(), NoAnswer) { IsAnswered = false },
        new("xmpp, STARTTLS", _ => new XmppProtocol(), [.. XmppSession()[..3], Client("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), Server("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), Client(0x16, 3, 1), Server(0x16, 3, 3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("xmpp, but TLS", _ => new XmppProtocol(), [Client(0x16, 3, 1, 0), Server(0x16, 3, 3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("sip", _ => new SipProtocol(SessionBench.Start), SipSession("Require: outbound"), (_, _) => "\r\n"u8.ToArray()) { UnmarkedAnswerBytes = 2 },
        new("sip, short names", _ => new SipProtocol(SessionBench.Start), SipSession("Flow-Timer: 120"), (_, _) => "\r\n"u8.ToArray()) { UnmarkedAnswerBytes = 2 },
        new("sip, not agreed", _ => new SipProtocol(SessionBench.Start), SipSession("X: outbound"), (_, _) => null) { IsProbed = false },
        new("telnet", _ => new TelnetProtocol(SessionBench.Start), TelnetSession(), TelnetAnswer) { UnmarkedAnswerBytes = 3 },
        new("telnet, no Timing-Mark", _ => new TelnetProtocol(SessionBench.Start), [.. TelnetSession().Where(m => m.Bytes is not [255, 251 or 253, 6])], NoAnswer) { IsAnswered = false, UnmarkedAnswerBytes = 3 },
        new("telnet, compressed", _ => new TelnetProtocol(SessionBench.Start), [.. TelnetSession()[..6], Server(255, 250, 86, 255, 240, 1, 255, 3), Client("x")], NoAnswer, IsPlainAtEnd: true) { IsAnswered = false, UnmarkedAnswerBytes = 3 },
    ];

    /// <summary>A PING of ours, answered by either end.</summary>
    public static byte[]? IrcAnswer(Leg of, byte[] probe)
    {
        string word = Encoding.ASCII.GetString(probe)["PING :".Length..];
        return Encoding.ASCII.GetBytes(of == Leg.Upstream ? $"@time=2026-11-21 :a.example PONG a.example :{word}" : $"PONG {word}");
    }

    private static byte[]? NoAnswer(Leg of, byte[] probe) => null;

    private static byte[]? TelnetAnswer(Leg of, byte[] probe) => probe is [255, 253, 6] ? [255, (byte)(of == Leg.Upstream ? 251 : 252), 6] : null;

    private static WireMessage[] IrcSession() =>
    [
        Client("CAP LS 302\r\n"), Client("NICK n\r\n"), Client("USER n 0 * :A Name\r\n"), Server(":a CAP * LS :message-tags\r\n"), Server("PING :cookie\r\n"), Client("PONG :cookie\r\n"), Server(":a.example 001 n :Welcome\r\n"),
        Client("JOIN #x\r\n"), Server(":n!u@h JOIN #x\r\n"), Client("PING word\r\n"), Server(":a PONG a :word\r\n"), Client($"@{new string('t', 3000)} PRIVMSG #x :hello :there\r\n"), Server($"@time=1 :m PRIVMSG n :{new string('h', 400)}\n"),
        Server("PING a\r\n"), Client("PONG a\r\n"), Client("QUIT :bye\r\n"), Server("ERROR :bye\r\n"),
    ];

    private static WireMessage[] XmppSession() =>
    [
        Client(StreamOfClient), Server("<?xml version='1.0'?>" + StreamOfServer), Server("<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"),
        Client("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"), Server("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
        Client(StreamOfClient), Server(StreamOfServer), Server("<stream:features><bind xmlns='b'/></stream:features>"), Client("<iq id='1' type='set'><bind/></iq>"), Server("<iq id='1' type='result'><bind><jid>a@b</jid></bind></iq>"), Client(" "),
        Client($"<message to='x'><body>a > b &lt; c {new string('m', 2000)}</body><p q='/>'/></message>"), Server("<message><body><![CDATA[</message> ]] ]]]></body></message>"), Server("\n"), Server("<r xmlns='urn:xmpp:sm:3'/>"), Client("<a xmlns='urn:xmpp:sm:3' h='1' />"),
        Client("</stream:stream>"), Server("</stream:stream>"),
    ];

    private static WireMessage[] SipSession(string agreement) =>
    [
        Client("REGISTER sip:a SIP/2.0\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"), Server("SIP/2.0 401 no\r\nCSeq: 1 REGISTER\r\nl: 0\r\n\r\n"),
        Client("REGISTER sip:a SIP/2.0\r\nCSeq: 2 REGISTER\r\nSupported: outbound\r\nl: 0\r\n\r\n"), Server($"SIP/2.0 200 OK\r\nCSeq: 2 REGISTER\r\n{agreement}\r\nContent-Length: 0\r\n\r\n"),
        Client("\r\n\r\n"), Server("\r\n"), Server($"INVITE sip:u SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length : 3000\r\n\r\n{new string('\n', 3000)}"), Client("SIP/2.0 100 Trying\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"),
        Client("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n"), Server("ACK sip:u SIP/2.0\r\nL: 0\r\n\r\n"),
    ];

    private static WireMessage[] TelnetSession() =>
    [
        Server(255, 253, 24), Server(255, 251, 1), Client(255, 251, 24), Client(255, 253, 1), Server(255, 250, 24, 1, 255, 240), Client([255, 250, 24, 0, .. "XTERM\r"u8, 255, 255, 255, 240]),
        .. Text(Leg.Upstream, "login: "), .. Text(Leg.Downstream, "me\r\n"), .. Text(Leg.Downstream, "\r\0"), .. Text(Leg.Upstream, "Password:"), .. Text(Leg.Downstream, "p\r\n"), .. Text(Leg.Upstream, new string('x', 100)),
        Client(255, 241), Client(255, 253, 6), Server(255, 251, 6), Server(255, 255), Server(255, 249), Client(255, 244), .. Text(Leg.Upstream, "\r\nbye\r\n"),
    ];

    // Telnet has no messages: something may come between any two characters but the two of a line's end.
    private static IEnumerable<WireMessage> Text(Leg from, string text)
    {
        for (int i = 0; i < text.Length; i++) yield return new WireMessage(from, text[i] == '\r' ? [(byte)'\r', (byte)text[++i]] : [(byte)text[i]]);
    }
}
