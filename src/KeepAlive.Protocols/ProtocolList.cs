using KeepAlive.Core;
using KeepAlive.Protocols.Amqp;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Http;
using KeepAlive.Protocols.Imap;
using KeepAlive.Protocols.Irc;
using KeepAlive.Protocols.Ldap;
using KeepAlive.Protocols.Mail;
using KeepAlive.Protocols.Mqtt;
using KeepAlive.Protocols.MySql;
using KeepAlive.Protocols.Nats;
using KeepAlive.Protocols.PostgreSql;
using KeepAlive.Protocols.Redis;
using KeepAlive.Protocols.Sip;
using KeepAlive.Protocols.Stomp;
using KeepAlive.Protocols.Telnet;
using KeepAlive.Protocols.Xmpp;

namespace KeepAlive.Protocols;

/// <summary>Makes the protocol of one new flow.</summary>
/// <param name="data">The flow's data connections.</param>
/// <param name="now">The time.</param>
/// <param name="seed">Randomness for the flow.</param>
internal delegate Protocol NewProtocol(IDataPaths data, Instant now, uint seed);

/// <summary>What every protocol may be told by the operator.</summary>
internal sealed record ProtocolOptions
{
    /// <summary>For <c>ftp</c>.</summary>
    public FtpOptions Ftp { get; init; } = new();

    /// <summary>For <c>ldap</c>.</summary>
    public LdapOptions Ldap { get; init; } = new();

    /// <summary>For <c>http</c>.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>How long after the client's last message idle sessions of protocols without a default of their own are kept; null for no end.</summary>
    public TimeSpan? Hold { get; init; }
}

/// <summary>A protocol the gateway speaks.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Ports">Those its servers usually have.</param>
/// <param name="Refusal">What a client is told that cannot be served, in the protocol's own words; empty for none.</param>
/// <param name="Prepare">Called once a gateway: what its flows share is made here. Null: nothing is looked at, a plain relay.</param>
internal sealed record ProtocolEntry(string Name, IReadOnlyList<int> Ports, ReadOnlyMemory<byte> Refusal, Func<ProtocolOptions, NewProtocol>? Prepare)
{
    /// <summary>The port its servers usually have for TLS from the first byte; 0 for none of its own.</summary>
    public int TlsPort { get; init; }

    /// <summary>Its names in TLS (RFC 7301), where peers want to hear one; null for none.</summary>
    public IReadOnlyList<string>? Alpn { get; init; }
}

/// <summary>Every protocol there is: adding one is a line here.</summary>
internal static class ProtocolList
{
    /// <summary>All of them; the first is the plain relay.</summary>
    public static IReadOnlyList<ProtocolEntry> All { get; } =
    [
        new("tcp", [], default, null),
        new("ftp", [21], "421 Too many connections, try later.\r\n"u8.ToArray(), options =>
        {
            var server = new FtpServer();
            return (data, now, seed) => new FtpProtocol(options.Ftp, server, data, now, seed);
        }) { TlsPort = 990 },
        new("http", [80], HttpRefusal, NewHttp) { TlsPort = 443 },
        new("websocket", [], HttpRefusal, NewHttp), // begins as HTTP
        new("ldap", [389], LdapProtocol.Refusal, options => (_, now, _) => new LdapProtocol(options.Ldap, now)) { TlsPort = 636 },
        new("postgresql", [5432], PostgreSqlMessage.Refusal, options => (_, now, _) => new PostgreSqlProtocol(now, options.Hold)),
        new("redis", [6379], "-ERR max number of clients reached\r\n"u8.ToArray(), options => (_, now, seed) => new RedisProtocol(now, seed, options.Hold)),
        new("mysql", [3306], MySqlPacket.Refusal, options => (_, now, _) => new MySqlProtocol(now, options.Hold)),
        new("mqtt", [1883], default, _ => (_, now, _) => new MqttProtocol(now)) { TlsPort = 8883 },
        new("amqp", [5672], default, _ => (_, now, _) => new AmqpProtocol(now)) { TlsPort = 5671 },
        new("nats", [4222], "-ERR 'maximum connections exceeded'\r\n"u8.ToArray(), _ => (_, now, _) => new NatsProtocol(now)),
        new("stomp", [61613], default, _ => (_, _, _) => new StompProtocol()),
        new("imap", [143], "* BYE Too many connections\r\n"u8.ToArray(), options => (_, now, seed) => new ImapProtocol(now, seed, options.Hold)) { TlsPort = 993 },
        new("pop3", [110], "-ERR Too many connections\r\n"u8.ToArray(), options => (_, now, _) => new Pop3Protocol(now, options.Hold)) { TlsPort = 995 },
        new("smtp", [25, 587], "421 Too many connections, try later\r\n"u8.ToArray(), options => (_, now, _) => new SmtpProtocol(now, options.Hold)) { TlsPort = 465 },
        new("nntp", [119], "400 Too many connections\r\n"u8.ToArray(), options => (_, now, _) => new NntpProtocol(now, options.Hold)) { TlsPort = 563 },
        new("irc", [6667], "ERROR :Too many connections\r\n"u8.ToArray(), _ => (_, now, seed) => new IrcProtocol(now, seed)) { TlsPort = 6697 },
        new("xmpp", [5222], default, _ => (_, _, _) => new XmppProtocol()) { TlsPort = 5223 },
        new("sip", [5060], default, _ => (_, now, _) => new SipProtocol(now)) { TlsPort = 5061 },
        new("telnet", [23], default, options => (_, now, _) => new TelnetProtocol(now, options.Hold)) { TlsPort = 992 },
    ];

    /// <summary>The protocol of servers on this port; the plain relay where that is not known.</summary>
    public static ProtocolEntry ForPort(int port) => All.FirstOrDefault(p => p.Ports.Contains(port)) ?? All[0];

    /// <summary>The same for servers that are spoken to in TLS.</summary>
    public static ProtocolEntry ForTlsPort(int port) => All.FirstOrDefault(p => p.TlsPort == port && port != 0) ?? ForPort(port);

    /// <summary>The protocol of this name, or null.</summary>
    public static ProtocolEntry? Find(string name) =>
        All.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Why a protocol is none of these and never will be; null where there is no reason.</summary>
    public static string? WhyNever(string name) => name.ToUpperInvariant() switch
    {
        // RFC 4271 section 4.4; a route must go when its router does.
        "BGP" => "a KEEPALIVE is a router's own proof of life, and one in its name would keep the routes of a dead one: use tcp",
        "TDS" => "SQL Server's protocol has no message without effect; its clients set kernel keepalive themselves: use tcp",
        _ => null,
    };

    private static ReadOnlyMemory<byte> HttpRefusal => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray();

    private static NewProtocol NewHttp(ProtocolOptions options)
    {
        var manners = new Http2Manners(options.Http);
        return (_, now, seed) => new HttpProtocol(options.Http, manners, seed);
    }
}
