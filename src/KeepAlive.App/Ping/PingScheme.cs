using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Http;
using KeepAlive.Protocols.Ldap;

namespace KeepAlive.App.Ping;

/// <summary>What the scheme of a URL stands for.</summary>
/// <param name="Name">As in the URL.</param>
/// <param name="ProtocolName">In <see cref="ProtocolList"/>; <c>ssh</c> is not: no gateway sees into it.</param>
/// <param name="Port">Where the URL names none; 0 where it must.</param>
internal sealed record PingScheme(string Name, string ProtocolName, int Port)
{
    private const string SshName = "ssh";

    /// <summary>All of them: adding one is a line here, and a caller in Protocols/Callers.</summary>
    public static IReadOnlyList<PingScheme> All { get; } =
    [
        new("tcp", "tcp", 0),
        new("ftp", "ftp", 21), new("ftps", "ftp", 990) { IsTls = true },
        new("ssh", SshName, 22), new("sftp", SshName, 22),
        new("ldap", "ldap", 389), new("ldaps", "ldap", 636) { IsTls = true },
        new("http", "http", 80) { Path = PathUse.Whole }, new("https", "http", 443) { IsTls = true, Path = PathUse.Whole },
        new("ws", "websocket", 80) { Path = PathUse.Whole }, new("wss", "websocket", 443) { IsTls = true, Path = PathUse.Whole },
        new("postgres", "postgresql", 5432) { Path = PathUse.Name }, new("mysql", "mysql", 3306) { Path = PathUse.Name },
        new("redis", "redis", 6379), new("rediss", "redis", 6379) { IsTls = true },
        new("imap", "imap", 143), new("imaps", "imap", 993) { IsTls = true },
        new("smtp", "smtp", 25), new("smtps", "smtp", 465) { IsTls = true },
        new("pop3", "pop3", 110), new("pop3s", "pop3", 995) { IsTls = true },
        new("mqtt", "mqtt", 1883), new("mqtts", "mqtt", 8883) { IsTls = true },
        new("irc", "irc", 6667), new("ircs", "irc", 6697) { IsTls = true },
        new("nats", "nats", 4222),
        new("amqp", "amqp", 5672) { Path = PathUse.Name }, new("amqps", "amqp", 5671) { IsTls = true, Path = PathUse.Name },
    ];

    /// <summary>SSH, with a channel for SFTP or without any.</summary>
    public bool IsSsh => ProtocolName == SshName;

    /// <summary>TLS from the first byte; FTP's by AUTH TLS, but on port 990.</summary>
    public bool IsTls { get; init; }

    /// <summary>What the path of the URL is for.</summary>
    public PathUse Path { get; init; }

    /// <summary>Names of application protocols offered inside TLS: HTTP/2 first, whose PING changes nothing.</summary>
    public IReadOnlyList<string>? Alpn => !IsTls ? null : ProtocolName switch { "http" => ["h2", "http/1.1"], "websocket" => ["http/1.1"], _ => null };

    /// <summary>The protocol of one call, whose probes are a gateway's; null for none.</summary>
    /// <param name="interval">How often it is probed: the session is ours, and its pace its owner's.</param>
    /// <param name="now">The time.</param>
    /// <param name="seed">For what is of this call alone.</param>
    public Protocol? NewProtocol(TimeSpan interval, Instant now, uint seed) => ProtocolList.Find(ProtocolName)?.Prepare?.Invoke(new ProtocolOptions
    {
        Ftp = new FtpOptions { IdleAgeMax = TimeSpan.MaxValue },
        Ldap = new LdapOptions { IdleAgeMax = TimeSpan.MaxValue, Probe = LdapProbe.Search },
        Http = new HttpOptions { PingEvery = interval, PingWithoutStreams = true },
        Hold = TimeSpan.MaxValue,
    })(NoDataPaths.Instance, now, seed);
}

/// <summary>What the path of a URL is for.</summary>
internal enum PathUse
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It and the query, as they are.</summary>
    Whole,

    /// <summary>A name: of a database, of a virtual host.</summary>
    Name,
}
