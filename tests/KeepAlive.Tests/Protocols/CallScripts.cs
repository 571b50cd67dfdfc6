using System.Text;
using KeepAlive.Protocols.Callers;

namespace KeepAlive.Tests.Protocols;

/// <summary>A call as it is on the wire: what the caller says, what the server says, by turns.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Protocol">Whose caller.</param>
/// <param name="Turns">The caller's first; empty where it says nothing.</param>
internal sealed record CallScript(string Name, string Protocol, params string[] Turns)
{
    public string? User { get; init; }

    public string? Password { get; init; }

    public string Path { get; init; } = "";

    /// <summary>Where it ends.</summary>
    public CallState State { get; init; } = CallState.Ready;

    /// <summary>How <see cref="Caller.Why"/> begins.</summary>
    public string Why { get; init; } = "";

    public CallDetails Details => new() { Host = "server.example", Path = Path, User = User, Password = Password, Seed = 7 };

    public override string ToString() => Name;

    /// <summary>Bytes as a text of Latin-1 characters.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}

/// <summary>A call of each kind.</summary>
internal static class CallScripts
{
    private static readonly string PgStart = PgMessage("", "\0\x3\0\0" + "user\0ka\0database\0ka\0application_name\0keepalive ping\0\0");
    private static readonly string MySqlGreeting = Packet(0, "\n5.5.5-10.11\0" + "\x1\0\0\0" + "abcdefgh\0" + "\xff\xf7\x2d\x2\0\xff\x81\x15" + "\0\0\0\0\0\0\0\0\0\0" + "ijklmnopqrst\0mysql_native_password\0");
    private static readonly string MqttConnect = "\x10\x1e\0\x4MQTT\x4\x2\0\0\0\x12keepalive-00000007";

    public static CallScript[] All { get; } =
    [
        new("tcp", "tcp", ""),
        new("ftp, anonymous", "ftp", "", "220-hello\r\n220 there\r\n", "USER anonymous\r\n", "331 password\r\n", "PASS keepalive@\r\n", "230-in\r\n one\r\n230 done\r\n"),
        new("ftp, a user", "ftp", "", "120 soon\r\n220 there\r\n", "USER ka\r\n", "331 password\r\n", "PASS secret\r\n", "230 in\r\n") { User = "ka", Password = "secret" },
        new("ftp, no password wanted", "ftp", "", "220 there\r\n", "USER anonymous\r\n", "230 in\r\n"),
        new("ftp, refused", "ftp", "", "220 there\r\n", "USER anonymous\r\n", "530 no\r\n") { State = CallState.Refused, Why = "530 no" },
        new("ftp, another protocol", "ftp", "", "SSH-2.0-x\r\n") { State = CallState.Strange, Why = "'SSH-2.0-x'" },
        new("redis", "redis", "*1\r\n$4\r\nPING\r\n", "+PONG\r\n"),
        new("redis, a user", "redis", "*3\r\n$4\r\nAUTH\r\n$2\r\nka\r\n$6\r\nsecret\r\n", "+OK\r\n") { User = "ka", Password = "secret" },
        new("redis, refused", "redis", "*1\r\n$4\r\nPING\r\n", "-NOAUTH Authentication required.\r\n") { State = CallState.Refused, Why = "NOAUTH" },
        new("imap, a user", "imap", "", "* OK hello\r\n", "a LOGIN \"k\\\"a\" \"secret\"\r\n", "* CAPABILITY IMAP4rev1\r\na OK in\r\n") { User = "k\"a", Password = "secret" },
        new("imap, nobody", "imap", "", "* OK hello\r\n"),
        new("imap, refused", "imap", "", "* OK hello\r\n", "a LOGIN \"ka\" \"\"\r\n", "a NO wrong\r\n") { User = "ka", State = CallState.Refused, Why = "NO wrong" },
        new("pop3, a user", "pop3", "", "+OK hello\r\n", "USER ka\r\n", "+OK\r\n", "PASS secret\r\n", "+OK in\r\n") { User = "ka", Password = "secret" },
        new("pop3, nobody", "pop3", "", "+OK hello\r\n"),
        new("smtp", "smtp", "", "220 hello\r\n", "EHLO keepalive.invalid\r\n", "250-there\r\n250 PIPELINING\r\n"),
        new("smtp, a user", "smtp", "", "220 hello\r\n", "EHLO keepalive.invalid\r\n", "250 there\r\n", "AUTH PLAIN AGthAHNlY3JldA==\r\n", "235 in\r\n") { User = "ka", Password = "secret" },
        new("smtp, refused", "smtp", "", "554 go away\r\n") { State = CallState.Refused, Why = "554 go away" },
        new("irc", "irc", "NICK ka000007\r\nUSER keepalive 0 * :keepalive ping\r\n", ":s NOTICE * :hi\r\nPING :x\r\n", "PONG :x\r\n", ":s 433 * ka000007 :taken\r\n", "NICK ka000008\r\n", ":s 001 ka000008 :welcome\r\n"),
        new("irc, refused", "irc", "NICK ka000007\r\nUSER keepalive 0 * :keepalive ping\r\n", "ERROR :closing\r\n") { State = CallState.Refused, Why = "ERROR :closing" },
        new("nats", "nats", "", "INFO {\"server_id\":\"x\"}\r\n", "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"any\",\"version\":\"0\",\"name\":\"keepalive ping\"}\r\nPING\r\n", "PONG\r\n"),
        new("nats, refused", "nats", "", "INFO {}\r\n", "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"any\",\"version\":\"0\",\"name\":\"keepalive ping\",\"user\":\"k\\u0022a\",\"pass\":\"\"}\r\nPING\r\n", "-ERR 'Authorization Violation'\r\n") { User = "k\"a", State = CallState.Refused, Why = "-ERR" },
        new("mqtt", "mqtt", MqttConnect, "\x20\x2\0\0"),
        new("mqtt, a user", "mqtt", "\x10\x2a\0\x4MQTT\x4\xc2\0\0\0\x12keepalive-00000007\0\x2ka\0\x6secret", "\x20\x2\0\0") { User = "ka", Password = "secret" },
        new("mqtt, refused", "mqtt", MqttConnect, "\x20\x2\0\x5") { State = CallState.Refused, Why = "not authorized" },
        new("ldap, nobody", "ldap", "\x30\x2d\x2\x4\0\0\0\x1\x63\x25\x4\0\xa\x1\0\xa\x1\0\x2\x1\0\x2\x1\0\x1\x1\0\x87\xbobjectClass\x30\x5\x4\x3" + "1.1", "\x30\x5\x2\x1\x1\x64\0" + "\x30\xc\x2\x1\x1\x65\x7\xa\x1\0\x4\0\x4\0"),
        new("ldap, a user", "ldap", "\x30\x18\x2\x1\x1\x60\x13\x2\x1\x3\x4\x6" + "cn=adm\x80\x6secret", "\x30\xc\x2\x1\x1\x61\x7\xa\x1\0\x4\0\x4\0") { User = "cn=adm", Password = "secret" },
        new("ldap, refused", "ldap", "\x30\x18\x2\x1\x1\x60\x13\x2\x1\x3\x4\x6" + "cn=adm\x80\x6secret", "\x30\xc\x2\x1\x1\x61\x7\xa\x1\x31\x4\0\x4\0") { User = "cn=adm", Password = "secret", State = CallState.Refused, Why = "result 49, invalid credentials" },
        new("postgresql", "postgresql", PgStart, PgMessage("R", "\0\0\0\0") + PgMessage("S", "a\0b\0") + PgMessage("Z", "I")) { User = "ka" },
        new("postgresql, MD5", "postgresql", PgStart, PgMessage("R", "\0\0\0\x5salt")) { User = "ka", Password = "secret", State = CallState.Refused, Why = "it wants the password as MD5" },
        new("postgresql, refused", "postgresql", PgStart, PgMessage("E", "SFATAL\0C28000\0Mno such role\0\0")) { User = "ka", State = CallState.Refused, Why = "no such role" },
        new("mysql", "mysql", "", MySqlGreeting, Packet(1, MySqlLogin("ka", "")), Packet(2, "\0\0\0\x2\0\0\0")) { User = "ka" },
        // Both scrambles were computed by hashlib of Python.
        new("mysql, a password", "mysql", "", MySqlGreeting, Packet(1, MySqlLogin("ka", Hex("8817c50fa779daef010ee7577825b0847df9842e"))), Packet(2, "\xfe" + "caching_sha2_password\0abcdefghijklmnopqrst\0"),
            Packet(3, Hex("c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809")), Packet(4, "\x1\x3") + Packet(5, "\0\0\0\x2\0\0\0")) { User = "ka", Password = "secret" },
        new("mysql, the password itself", "mysql", "", MySqlGreeting, Packet(1, MySqlLogin("ka", Hex("8817c50fa779daef010ee7577825b0847df9842e"))), Packet(2, "\x1\x4")) { User = "ka", Password = "secret", State = CallState.Refused, Why = "it wants the password itself" },
        new("mysql, refused", "mysql", "", MySqlGreeting, Packet(1, MySqlLogin("ka", "")), Packet(2, "\xff\x15\x4#28000Access denied")) { User = "ka", State = CallState.Refused, Why = "#28000Access denied" },
        new("amqp", "amqp", "AMQP\0\0\x9\x1", Method(10, 10, "\0\x9\0\0\0\0\0\0\0\x5PLAIN\0\0\0\x5" + "en_US"),
            Method(10, 11, "\0\0\0\0\x5PLAIN\0\0\0\xc\0guest\0guest\x5" + "en_US"), Method(10, 30, "\x7\xff\0\x2\0\0\0\x3c"), Method(10, 31, "\x7\xff\0\x2\0\0\0\0") + Method(10, 40, "\x1/\0\0"), Method(10, 41, "\0")),
        new("amqp, another version", "amqp", "AMQP\0\0\x9\x1", "AMQP\0\x1\0\0") { State = CallState.Strange, Why = "the server does not take AMQP 0-9-1" },
        new("h2", "h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x4\0\0\0\0\0", "\0\0\0\x4\0\0\0\0\0\0\0\0\x4\x1\0\0\0\0", "\0\0\0\x4\x1\0\0\0\0", "\0\0\x8\x6\0\0\0\0\0" + "12345678", "\0\0\x8\x6\x1\0\0\0\0" + "12345678"),
        new("websocket", "websocket", "GET /chat?a=b HTTP/1.1\r\nHost: server.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: U4RUEnsJZJMAAAAAAAAAAA==\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "", "\x89\x2hi", "\x8a\x82\0\0\0\0hi") { Path = "/chat?a=b" },
        new("websocket, refused", "websocket", "GET / HTTP/1.1\r\nHost: server.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: U4RUEnsJZJMAAAAAAAAAAA==\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n") { State = CallState.Refused, Why = "no WebSocket there: HTTP/1.1 404 Not Found" },
        new("http", "http", ""),
    ];

    private static string PgMessage(string kind, string body) => $"{kind}\0\0\0{(char)(4 + body.Length)}{body}";

    private static string Packet(int sequence, string body) => $"{(char)body.Length}\0\0{(char)sequence}{body}";

    private static string Hex(string text) => CallScript.Text(Convert.FromHexString(text));

    private static string MySqlLogin(string user, string answer) =>
        $"\0\x82\x8\0\0\0\0\x1\x21{new string('\0', 23)}{user}\0{(char)answer.Length}{answer}mysql_native_password\0";

    private static string Method(int group, int method, string arguments) => $"\x1\0\0\0\0\0{(char)(4 + arguments.Length)}\0{(char)group}\0{(char)method}{arguments}\xce";
}
