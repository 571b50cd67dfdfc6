using KeepAlive.Core;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Ldap;
using KeepAlive.Protocols.Mqtt;
using KeepAlive.Protocols.PostgreSql;
using KeepAlive.Protocols.Redis;
using KeepAlive.Protocols.WebSocket;

namespace KeepAlive.Protocols;

/// <summary>Makes the protocol of one new flow.</summary>
/// <param name="data">The flow's data connections.</param>
/// <param name="now">The time.</param>
/// <param name="seed">Randomness for the flow.</param>
public delegate Protocol NewProtocol(IDataPaths data, Instant now, uint seed);

/// <summary>What every protocol may be told by the operator.</summary>
public sealed record ProtocolOptions
{
    /// <summary>For <c>ftp</c>.</summary>
    public FtpOptions Ftp { get; init; } = new();

    /// <summary>For <c>ldap</c>.</summary>
    public LdapOptions Ldap { get; init; } = new();

    /// <summary>How long after the client's last message idle sessions of protocols without a default of their own are kept; null for no end.</summary>
    public TimeSpan? Hold { get; init; }
}

/// <summary>A protocol the gateway speaks.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Port">The port its servers usually have; 0 for none of its own.</param>
/// <param name="Refusal">What a client is told that cannot be served, in the protocol's own words; empty for none.</param>
/// <param name="Prepare">Called once a gateway: what its flows share is made here. Null: nothing is looked at, a plain relay.</param>
public sealed record ProtocolEntry(string Name, int Port, ReadOnlyMemory<byte> Refusal, Func<ProtocolOptions, NewProtocol>? Prepare);

/// <summary>Every protocol there is: adding one is a line here.</summary>
public static class ProtocolList
{
    /// <summary>All of them; the first is the plain relay.</summary>
    public static IReadOnlyList<ProtocolEntry> All { get; } =
    [
        new("tcp", 0, default, null),
        new("ftp", 21, "421 Too many connections, try later.\r\n"u8.ToArray(), options =>
        {
            var server = new FtpServer();
            return (data, now, seed) => new FtpProtocol(options.Ftp, server, data, now, seed);
        }),
        new("websocket", 0, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), _ => (_, now, seed) => new WebSocketProtocol(now, seed)),
        new("ldap", 389, LdapProtocol.Refusal, options => (_, now, _) => new LdapProtocol(options.Ldap, now)),
        new("postgresql", 5432, PostgreSqlMessage.Refusal, options => (_, now, _) => new PostgreSqlProtocol(now, options.Hold)),
        new("redis", 6379, "-ERR max number of clients reached\r\n"u8.ToArray(), options => (_, now, seed) => new RedisProtocol(now, seed, options.Hold)),
        new("mqtt", 1883, default, _ => (_, now, _) => new MqttProtocol(now)),
    ];

    /// <summary>The protocol of servers on this port; the plain relay where that is not known.</summary>
    public static ProtocolEntry ForPort(int port) => All.FirstOrDefault(p => p.Port == port) ?? All[0];

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
}
