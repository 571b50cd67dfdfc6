using KeepAlive.Core;
using KeepAlive.Protocols.Amqp;
using KeepAlive.Protocols.MySql;
using KeepAlive.Protocols.Nats;
using KeepAlive.Protocols.Stomp;
using static KeepAlive.Tests.Protocols.WireMessage;

namespace KeepAlive.Tests.Protocols;

/// <summary>Sessions of MySQL, AMQP, NATS and STOMP.</summary>
internal static class BrokerCases
{
    private const uint Protocol41 = 0x200;
    public const uint DeprecateEof = 0x0100_0000;

    public static IReadOnlyList<ProtocolCase> All { get; } =
    [
        new("mysql", _ => new MySqlProtocol(SessionBench.Start), MySqlSession(0), MySqlAnswer) { UnmarkedAnswerBytes = 4096 },
        new("mysql, no EOF", _ => new MySqlProtocol(SessionBench.Start), MySqlSession(DeprecateEof), MySqlAnswer) { UnmarkedAnswerBytes = 4096 },
        new("mysql, TLS", _ => new MySqlProtocol(SessionBench.Start), [Greeting(0x800), Packet(Leg.Downstream, 1, [0, 8, 0, 0, .. new byte[28]]), Client(0x16, 3, 1), Server(0x16, 3, 3)], MySqlAnswer, IsPlainAtEnd: true) { IsProbed = false, UnmarkedAnswerBytes = 4096 },
        new("mysql, compressed", _ => new MySqlProtocol(SessionBench.Start), [Greeting(0x20), Login(0x20), Ok(2), Client(9, 9, 9), Server(8, 8, 8, 8)], MySqlAnswer, IsPlainAtEnd: true) { IsProbed = false, UnmarkedAnswerBytes = 4096 },
        new("amqp 0-9-1", _ => new AmqpProtocol(SessionBench.Start), Amqp091Session(), NoAnswer) { IsAnswered = false },
        new("amqp 1.0", _ => new AmqpProtocol(SessionBench.Start), Amqp10Session(), NoAnswer) { IsAnswered = false },
        new("amqp, refused", _ => new AmqpProtocol(SessionBench.Start), [Header(0, 0, 9, 1), Server([.. "AMQP"u8, 0, 1, 0, 0])], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("amqp, TLS inside", _ => new AmqpProtocol(SessionBench.Start), [Header(2, 1, 0, 0), Server([.. "AMQP"u8, 2, 1, 0, 0]), Client(0x16, 3, 1), Server(0x16, 3, 3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("nats", _ => new NatsProtocol(SessionBench.Start), NatsSession(), (_, _) => "PONG\r\n"u8.ToArray()) { UnmarkedAnswerBytes = 1026 },
        new("nats, TLS", _ => new NatsProtocol(SessionBench.Start), [Server("INFO {\"tls_required\":true}\r\n"), Client(0x16, 3, 1), Server(0x16, 3, 3)], NoAnswer, IsPlainAtEnd: true) { IsProbed = false },
        new("stomp", _ => new StompProtocol(), StompSession("5000,5000", "0,5000"), NoAnswer) { IsAnswered = false },
        new("stomp, no heart-beats", _ => new StompProtocol(), StompSession("0,0", "0,0"), NoAnswer) { IsProbed = false },
    ];

    /// <summary>A packet of MySQL's.</summary>
    public static WireMessage Packet(Leg from, byte sequence, params byte[] payload) => new(from, [(byte)payload.Length, (byte)(payload.Length >> 8), (byte)(payload.Length >> 16), sequence, .. payload]);

    public static WireMessage Greeting(uint capabilities) =>
        Packet(Leg.Upstream, 0, [10, .. "8.0.36\0"u8, 1, 0, 0, 0, .. "12345678\0"u8, (byte)capabilities, (byte)(capabilities >> 8), 33, 2, 0, (byte)(capabilities >> 16), (byte)(capabilities >> 24), 21, .. new byte[10], .. "123456789012\0"u8]);

    public static WireMessage Login(uint capabilities) =>
        Packet(Leg.Downstream, 1, [(byte)capabilities, (byte)(capabilities >> 8), (byte)(capabilities >> 16), (byte)(capabilities >> 24), 0, 0, 0, 1, 33, .. new byte[23], .. "user\0\0"u8]);

    /// <summary>An OK.</summary>
    public static WireMessage Ok(byte sequence, byte rows = 0, byte flags = 2, byte warnings = 0) => Packet(Leg.Upstream, sequence, 0, rows, 0, flags, 0, warnings, 0);

    public static WireMessage Query(string text) => Packet(Leg.Downstream, 0, [3, .. text.Select(c => (byte)c)]);

    /// <summary>What a query gives: two columns and some rows.</summary>
    public static WireMessage Result(uint capabilities, byte flags = 2, bool hasCursor = false)
    {
        byte[] end = (capabilities & DeprecateEof) != 0 ? [0xFE, 0, 0, flags, 0, 0, 0] : [0xFE, 0, 0, flags, 0], eof = (capabilities & DeprecateEof) != 0 ? [] : Packet(Leg.Upstream, 4, 0xFE, 0, 0, (byte)(flags | (hasCursor ? 0x40 : 0)), 0).Bytes;
        byte[] rows = hasCursor && eof.Length > 0 ? [] : [.. Packet(Leg.Upstream, 5, [1, (byte)'a', 0xFB]).Bytes, .. Packet(Leg.Upstream, 6, [0xFC, 0x88, 0x13, .. new byte[5000]]).Bytes, .. Packet(Leg.Upstream, 7, end).Bytes];
        return Server([.. Packet(Leg.Upstream, 1, 2).Bytes, .. Packet(Leg.Upstream, 2, new byte[40]).Bytes, .. Packet(Leg.Upstream, 3, new byte[90]).Bytes, .. eof, .. rows]);
    }

    public static byte[]? MySqlAnswer(Leg of, byte[] probe) => Ok(1).Bytes;

    private static byte[]? NoAnswer(Leg of, byte[] probe) => null;

    private static WireMessage[] MySqlSession(uint capabilities)
    {
        byte[] eof = (capabilities & DeprecateEof) != 0 ? [] : Packet(Leg.Upstream, 9, 0xFE, 0, 0, 2, 0).Bytes;
        return
        [
            Greeting(capabilities | Protocol41), Login(capabilities | Protocol41), Packet(Leg.Upstream, 2, [0xFE, .. "mysql_native_password\0"u8]), Packet(Leg.Downstream, 3, new byte[20]), Ok(4),
            Query("SELECT 1"), Result(capabilities), Query("SET x"), Ok(1), Packet(Leg.Downstream, 0, 0x0E), Ok(1),
            Query("CALL p"), Result(capabilities, flags: 0x0A), Ok(8), Query("bad"), Packet(Leg.Upstream, 1, [0xFF, 0x28, 4, .. "#42000no"u8]),
            Packet(Leg.Downstream, 0, [0x16, .. "SELECT ?"u8]), Server([.. Packet(Leg.Upstream, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0).Bytes, .. Packet(Leg.Upstream, 2, new byte[30]).Bytes, .. eof, .. Packet(Leg.Upstream, 4, new byte[30]).Bytes, .. eof]),
            Packet(Leg.Downstream, 0, [0x18, 1, 0, 0, 0, 0, 0, .. new byte[3000]]), Packet(Leg.Downstream, 0, 0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0), Result(capabilities, hasCursor: true),
            Packet(Leg.Downstream, 0, 0x1C, 1, 0, 0, 0, 9, 0, 0, 0), Server([.. Packet(Leg.Upstream, 1, 1, 2).Bytes, .. Packet(Leg.Upstream, 2, (capabilities & DeprecateEof) != 0 ? [0xFE, 0, 0, 0x82, 0, 0, 0] : [0xFE, 0, 0, 0x82, 0]).Bytes]), Packet(Leg.Downstream, 0, 0x19, 1, 0, 0, 0),
            Query("BEGIN"), Ok(1, flags: 3), Query("SELECT 2"), Result(capabilities, flags: 3), Query("COMMIT"), Ok(1), Packet(Leg.Downstream, 0, 9), Packet(Leg.Upstream, 1, [.. "Uptime: 1"u8]),
            Packet(Leg.Downstream, 0, [0x11, .. "user\0\0"u8]), Packet(Leg.Upstream, 1, [0xFE, .. "x\0"u8]), Packet(Leg.Downstream, 2, new byte[20]), Ok(3),
            Query("LOAD"), Packet(Leg.Upstream, 1, 0xFB, (byte)'f'), Packet(Leg.Downstream, 2, new byte[2000]), Packet(Leg.Downstream, 3), Ok(4), Query("A"), Query("B"), Ok(1), Packet(Leg.Upstream, 1, 0xFF, 0xFF, 0xFF, 1, 1, 1), Ok(1),
            Query("INSERT"), Ok(1, rows: 1), Packet(Leg.Downstream, 0, 1),
        ];
    }

    public static WireMessage Header(params byte[] version) => Client([.. "AMQP"u8, .. version]);

    /// <summary>A frame of AMQP 0-9-1.</summary>
    public static WireMessage Frame091(Leg from, byte kind, byte channel, params byte[] payload) => new(from, [kind, 0, channel, 0, 0, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload, 0xCE]);

    public static WireMessage Method(Leg from, byte @class, byte method, params byte[] arguments) => Frame091(from, 1, 0, [0, @class, 0, method, .. arguments]);

    /// <summary>A frame of AMQP 1.0.</summary>
    public static WireMessage Frame10(Leg from, byte kind, params byte[] body) => new(from, [0, 0, (byte)((body.Length + 8) >> 8), (byte)(body.Length + 8), 2, kind, 0, 0, .. body]);

    private static WireMessage[] Amqp091Session()
    {
        Leg client = Leg.Downstream, server = Leg.Upstream;
        return
        [
            Header(0, 0, 9, 1), Method(server, 10, 10, new byte[300]), Method(client, 10, 11, new byte[60]), Method(server, 10, 30, 7, 255, 0, 2, 0, 0, 0, 60), Method(client, 10, 31, 7, 255, 0, 2, 0, 0, 0, 60), Method(client, 10, 40, 1, (byte)'/', 0, 0), Method(server, 10, 41, 0),
            Frame091(client, 1, 1, 0, 20, 0, 10, 0), Frame091(server, 1, 1, 0, 20, 0, 11, 0, 0, 0, 0), Frame091(client, 1, 1, [0, 60, 0, 40, .. new byte[20]]), Frame091(client, 2, 1, new byte[14]), Frame091(client, 3, 1, new byte[5000]),
            Frame091(server, 8, 0), Frame091(client, 8, 0), Method(client, 10, 50, new byte[7]), Method(server, 10, 51),
        ];
    }

    private static WireMessage[] Amqp10Session()
    {
        Leg client = Leg.Downstream, server = Leg.Upstream;
        return
        [
            Header(3, 1, 0, 0), Server([.. "AMQP"u8, 3, 1, 0, 0]), Frame10(server, 1, 0, 0x53, 0x40, 0xC0, 1, 0), Frame10(client, 1, [0, 0x53, 0x41, 0xC0, 40, 1, .. new byte[39]]), Frame10(server, 1, 0, 0x53, 0x44, 0xC0, 3, 1, 0x50, 0),
            Header(0, 1, 0, 0), Server([.. "AMQP"u8, 0, 1, 0, 0]), Frame10(client, 0, [0, 0x53, 0x10, 0xC0, 9, 1, 0xA1, 6, .. "client"u8]), Frame10(server, 0, [0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xC0, 9, 1, 0xA1, 6, .. "server"u8]),
            Frame10(client, 0, [0, 0x53, 0x14, .. new byte[5000]]), Frame10(server, 0), Frame10(client, 0), Frame10(server, 0, 0, 0x53, 0x15, 0x45), Frame10(client, 0, 0, 0x53, 0x18, 0x45), Frame10(server, 0, 0, 0x53, 0x18, 0x45),
        ];
    }

    private static WireMessage[] NatsSession() =>
    [
        Server($"INFO {{\"x\":\"{new string('i', 1500)}\"}}\r\n"), Client("CONNECT {\"verbose\":false}\r\n"), Client("PING\r\n"), Server("PONG\r\n"), Client("SUB a.* 1\r\n"), Client("PUB a.b 5\r\nPONG\n\r\n"), Server($"MSG a.b 1 reply.to 5000\r\n{new string('p', 5000)}\r\n"),
        Client("HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"), Server("HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"), Server("PING\r\n"), Client("PONG\r\n"), Client($"pub {new string('s', 2000)} 0\r\n\r\n"), Server("+OK\r\n"), Client("ping\r\n"), Server("PONG\r\n"), Server("-ERR 'x'\r\n"),
    ];

    public static WireMessage[] StompSession(string ofClient, string ofServer) =>
    [
        Client($"CONNECT\naccept-version:1.2\nheart-beat:{ofClient}\n\n\0"), Server($"CONNECTED\r\nversion:1.2\r\nheart-beat:{ofServer}\r\n\r\n\0"), Server("\n"), Client("SUBSCRIBE\nid:0\ndestination:/q\n\n\0"), Client("\n"),
        Client($"SEND\ndestination:/q\ncontent-length:3002\n\na\0{new string('b', 3000)}\0"), Server($"MESSAGE\ncontent-length:0\n\n\0"), Server($"MESSAGE\nid:1\n\n{new string('m', 300)}\n\n\0"), Server("\r\n"), Client("\n"), Server("\n"), Client("DISCONNECT\nreceipt:7\n\n\0"), Server("RECEIPT\nreceipt-id:7\n\n\0"),
    ];
}
