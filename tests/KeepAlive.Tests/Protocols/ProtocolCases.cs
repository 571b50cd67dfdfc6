using KeepAlive.Core;
using KeepAlive.Protocols.Framing;
using KeepAlive.Protocols.Ldap;
using KeepAlive.Protocols.Mqtt;
using KeepAlive.Protocols.PostgreSql;
using KeepAlive.Protocols.Redis;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Whole sessions of every protocol that is read frame by frame.</summary>
internal static class ProtocolCases
{
    public static IReadOnlyList<ProtocolCase> All { get; } =
    [
        .. HttpCases.All,
        .. MailCases.All,
        .. ChatCases.All,
        .. BrokerCases.All,
        new("ldap, Abandon", _ => new LdapProtocol(new LdapOptions(), SessionBench.Start), LdapSession(), LdapAnswer) { IsAnswered = false },
        new("ldap, search", _ => new LdapProtocol(new LdapOptions { Probe = LdapProbe.Search }, SessionBench.Start), LdapSession(), LdapAnswer),
        new("ldap, StartTLS", _ => new LdapProtocol(new LdapOptions(), SessionBench.Start), [.. LdapSession()[..4], StartTls(7), StartTlsAnswer(7, 0), Client(0x16, 3, 1, 0), Server(0x16, 3, 3)], LdapAnswer, IsPlainAtEnd: true) { IsAnswered = false },
        new("ldap, StartTLS refused", _ => new LdapProtocol(new LdapOptions(), SessionBench.Start), [.. LdapSession()[..4], StartTls(7), StartTlsAnswer(7, 2), .. LdapSession()[4..]], LdapAnswer) { IsAnswered = false },
        new("ldap, a layer after DIGEST-MD5", _ => new LdapProtocol(new LdapOptions { Probe = LdapProbe.Search }, SessionBench.Start),
            [.. LdapSession()[..4], SaslBind(8, "DIGEST-MD5"), BindAnswer(8, 14), SaslBind(9, "DIGEST-MD5"), BindAnswer(9, 0), Client(0, 0, 0, 2, 9, 9), Server(0, 0, 0, 1, 7)], LdapAnswer, IsPlainAtEnd: true),
        new("postgresql", _ => new PostgreSqlProtocol(SessionBench.Start), [Startup("user", "u", "database", "d"), .. PostgreSqlSession()], PostgreSqlAnswer) { UnmarkedAnswerBytes = 6 },
        new("postgresql, not encrypted", _ => new PostgreSqlProtocol(SessionBench.Start),
            [EncryptionRequest(80877104), Server("N"), EncryptionRequest(80877103), Server("N"), Startup("user", "u"), .. PostgreSqlSession()], PostgreSqlAnswer) { UnmarkedAnswerBytes = 6 },
        new("postgresql, encrypted", _ => new PostgreSqlProtocol(SessionBench.Start),
            [EncryptionRequest(80877103), Server("S"), Client(0x16, 3, 1, 0, 1, 1), Server(0x16, 3, 3, 0, 1, 2)], PostgreSqlAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("postgresql, replication", _ => new PostgreSqlProtocol(SessionBench.Start), [Startup("user", "u", "replication", "true"), .. PostgreSqlSession()], PostgreSqlAnswer) { IsProbed = false },
        new("redis", seed => new RedisProtocol(SessionBench.Start, seed), RedisSession(), (_, ping) => ping[14..]) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("redis, RESP 2 subscriber", seed => new RedisProtocol(SessionBench.Start, seed), RedisSubscriber(), (_, ping) => [.. "*2\r\n$4\r\npong\r\n"u8, .. ping[14..]]) { UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("redis, not let in", seed => new RedisProtocol(SessionBench.Start, seed),
            [Command("GET", "a"), Server("-NOAUTH Authentication required.\r\n")], (_, _) => null) { IsProbed = false, UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("redis, may not PING", seed => new RedisProtocol(SessionBench.Start, seed), RedisSession()[..6], (_, _) => [.. "-NOPERM no\r\n"u8]) { IsAnswered = false, UnmarkedAnswerBytes = FramedProtocol.HeldBytesMax },
        new("mqtt", _ => new MqttProtocol(SessionBench.Start), MqttSession(), MqttAnswer) { UnmarkedAnswerBytes = 2 },
        new("mqtt, refused", _ => new MqttProtocol(SessionBench.Start), [MqttSession()[0], Server(0x20, 2, 0, 5)], MqttAnswer) { IsProbed = false },
        new("mqtt, but TLS", _ => new MqttProtocol(SessionBench.Start), [Client(0x16, 3, 1, 0, 1, 1), Server(0x16, 3, 3, 0, 1, 2)], MqttAnswer, IsPlainAtEnd: true) { IsProbed = false },
    ];

    public static WireMessage SimpleBind(byte id) => Client([0x30, 0x0C, 2, 1, id, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]);

    public static WireMessage SaslBind(byte id, string mechanism) => Client(
        [0x30, (byte)(14 + mechanism.Length), 2, 1, id, 0x60, (byte)(9 + mechanism.Length), 2, 1, 3, 4, 0, 0xA3, (byte)(2 + mechanism.Length), 4, (byte)mechanism.Length, .. mechanism.Select(c => (byte)c)]);

    public static WireMessage BindAnswer(byte id, byte code) => Server(Answer(id, 0x61, code));

    public static WireMessage StartTls(byte id) => Client([0x30, 0x1D, 2, 1, id, 0x77, 0x18, 0x80, 22, .. "1.3.6.1.4.1.1466.20037"u8]);

    public static WireMessage StartTlsAnswer(byte id, byte code) => Server(Answer(id, 0x78, code));

    public static WireMessage Search(byte id) => Client([0x30, 0x84, 0, 0, 0, 0x23, 2, 1, id, 0x63, 0x84, 0, 0, 0, 0x1A, 4, 0, 10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0, 0x87, 1, (byte)'o', 0x30, 0x84, 0, 0, 0, 0]);

    public static WireMessage SearchDone(byte id) => Server(Answer(id, 0x65, 0));

    private static byte[] Answer(byte id, byte tag, byte code) => [0x30, 0x0C, 2, 1, id, tag, 7, 10, 1, code, 4, 0, 4, 0];

    private static WireMessage[] LdapSession()
    {
        byte[] value = new byte[5000];
        return
        [
            SimpleBind(1), BindAnswer(1, 0),
            Search(2), SearchDone(2),
            Search(3),
            Server([0x30, 0x82, 0x13, 0x97, 2, 1, 3, 0x64, 0x82, 0x13, 0x90, 4, 0, 0x30, 0x82, 0x13, 0x8A, 4, 0, .. value]),
            Search(4), SearchDone(4), SearchDone(3),
            Server(0x30, 0x09, 2, 1, 0, 0x78, 4, 10, 1, 0, 4), // unasked, and of another shape than expected
            Client(0x30, 5, 2, 1, 5, 0x42, 0),
        ];
    }

    // A search of ours has 47 bytes and is answered in two messages of its own ID; an Abandon is not answered.
    private static byte[]? LdapAnswer(Leg of, byte[] probe)
    {
        if (probe.Length != 47) return null;
        byte[] id = probe[2..8];
        return [0x30, 0x0C, .. id, 0x64, 4, 4, 0, 0x30, 0, 0x30, 0x0F, .. id, 0x65, 7, 10, 1, 0, 4, 0, 4, 0];
    }

    public static WireMessage Startup(params string[] parameters)
    {
        byte[] words = [.. parameters.Append("").SelectMany(p => p + "\0").Select(c => (byte)c)];
        return Client([0, 0, 0, (byte)(8 + words.Length), 0, 3, 0, 0, .. words]);
    }

    public static WireMessage EncryptionRequest(int code) => Client(0, 0, 0, 8, (byte)(code >> 24), (byte)(code >> 16), (byte)(code >> 8), (byte)code);

    /// <summary>A message with its kind.</summary>
    public static WireMessage Message(Leg from, char kind, string text = "") => new(from, [(byte)kind, 0, 0, (byte)((4 + text.Length) >> 8), (byte)(4 + text.Length), .. text.Select(c => (byte)c)]);

    public static WireMessage Ready(char status = 'I') => Message(Leg.Upstream, 'Z', $"{status}");

    private static WireMessage[] PostgreSqlSession()
    {
        WireMessage client(char kind, string text = "") => Message(Leg.Downstream, kind, text);
        WireMessage server(char kind, string text = "") => Message(Leg.Upstream, kind, text);
        return
        [
            server('R', "\0\0\0\u0003"), client('p', "secret\0"), server('R', "\0\0\0\0"), server('S', "TimeZone\0UTC\0"), server('K', "12345678"), Ready(),
            client('Q', "SELECT 1\0"), server('T', new string('t', 300)), server('D', new string('d', 5000)), server('C', "SELECT 1\0"), Ready(),
            server('A', "1234channel\0payload\0"),
            client('Q', "BEGIN\0"), server('C', "BEGIN\0"), Ready('T'), client('Q', "SELECT x\0"), server('E', "SERROR\0\0"), Ready('E'), client('Q', "ROLLBACK\0"), server('C', "ROLLBACK\0"), Ready(),
            client('P', "\0INSERT\0\0\0"), client('B', "\0\0\0\0\0\0\0\0"), client('E', "\0\0\0\0\0"), client('S'), server('1'), server('2'), server('C', "INSERT 0 1\0"), Ready(),
            client('Q', "COPY t FROM STDIN\0"), server('G', "\0\0\u0001\0\0"), client('d', new string('c', 200)), client('c'), server('C', "COPY 1\0"), Ready(),
            client('Q', "SELECT 1\0"), client('Q', "SELECT 2\0"), server('C', "SELECT 1\0"), Ready(), server('C', "SELECT 1\0"), Ready(),
            client('X'),
        ];
    }

    // What comes unasked may come before the answer.
    private static byte[]? PostgreSqlAnswer(Leg of, byte[] probe) => Ready().Bytes;

    public static WireMessage MqttConnect => Client([0x10, 13, 0, 4, .. "MQTT"u8, 4, 2, 0, 60, 0, 1, (byte)'a']);

    public static WireMessage[] MqttSession() =>
    [
        MqttConnect, Server(0x20, 2, 0, 0), Client([0x82, 6, 0, 1, 0, 1, (byte)'t', 0]), Server(0x90, 3, 0, 1, 0),
        Server([0x30, 0x83, 0x27, 0, 1, (byte)'t', .. new byte[4992]]), Client(0xC0, 0), Server(0xD0, 0), Client([0x32, 0xC8, 1, 0, 1, (byte)'t', 0, 2, .. new byte[195]]), Server(0x40, 2, 0, 2),
        Server([0x31, 4, 0, 1, (byte)'t', 1]), Client(0xE0, 0),
    ];

    private static byte[]? MqttAnswer(Leg of, byte[] probe) => [0xD0, 0];

    /// <summary>A command of Redis'.</summary>
    public static WireMessage Command(params string[] words) => Client($"*{words.Length}\r\n{string.Concat(words.Select(w => $"${w.Length}\r\n{w}\r\n"))}");

    private static WireMessage[] RedisSession() =>
    [
        Command("HELLO", "3", "AUTH", "default", "secret"), Server("%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"),
        Command("SET", "key", new string('v', 5000)), Server("+OK\r\n"),
        Command("GET", "key"), Server($"$5000\r\n{new string('v', 5000)}\r\n"),
        Command("get", "none"), Server("$-1\r\n"), Client("PING\r\n"), Server("+PONG\r\n"), Client("\r\n"),
        Server(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\r\n\r\n"), // a push, unasked
        Command("LRANGE", "l", "0", "-1"), Server("*3\r\n$1\r\na\r\n*2\r\n:1\r\n,1.5\r\n|1\r\n+ttl\r\n:9\r\n#t\r\n"),
        Command("MULTI"), Server("+OK\r\n"), Command("INCR", "n"), Server("+QUEUED\r\n"), Command("EXEC"), Server("*1\r\n:1\r\n"),
        Command("FOO"), Server("-ERR unknown command\r\n"), Command("GET", "a"), Command("GET", "b"), Server("_\r\n"), Server("_\r\n"),
        Command("QUIT"), Server("+OK\r\n"),
    ];

    private static WireMessage[] RedisSubscriber() =>
    [
        Command("SUBSCRIBE", "a", "b"), Server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"), Server("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"),
        Server("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"), Command("PING"), Server("*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
        Server("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$2\r\nhi\r\n"),
    ];
}
