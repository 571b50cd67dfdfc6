namespace KeepAlive.Protocols.Callers;

/// <summary>Every caller there is: adding one is a line here.</summary>
internal static class CallerList
{
    /// <summary>HTTP/2, which is agreed on inside TLS (RFC 9113 section 3.2); by other names it is <c>http</c>.</summary>
    public const string Http2 = "h2";

    /// <summary>Who calls servers of a protocol.</summary>
    /// <param name="protocol">Its name in <see cref="ProtocolList"/>, or <see cref="Http2"/>, or <c>ssh</c>, which no gateway speaks.</param>
    /// <param name="call">Who is called.</param>
    /// <exception cref="ArgumentException">Nobody does.</exception>
    public static Caller New(string protocol, CallDetails call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return protocol switch
        {
            "tcp" => new TcpCaller(),
            "ftp" => new FtpCaller(call),
            "ldap" => new LdapCaller(call),
            "http" => new HttpCaller(call),
            Http2 => new Http2Caller(),
            "websocket" => new WebSocketCaller(call),
            "redis" => new RedisCaller(call),
            "imap" => new ImapCaller(call),
            "pop3" => new Pop3Caller(call),
            "smtp" => new SmtpCaller(call),
            "mqtt" => new MqttCaller(call),
            "irc" => new IrcCaller(call),
            "nats" => new NatsCaller(call),
            "postgresql" => new PostgreSqlCaller(call),
            "mysql" => new MySqlCaller(call),
            "amqp" => new AmqpCaller(call),
            "ssh" => new SshCaller(call),
            _ => throw new ArgumentException($"'{protocol}' has no caller: give one that CallerList names", nameof(protocol)),
        };
    }
}
