namespace KeepAlive.Protocols.Ssh;

/// <summary>The algorithms an end is willing to use, the preferred first: those that the base class library's cryptography gives.</summary>
internal sealed record SshOffer
{
    /// <summary>All there are.</summary>
    public static SshOffer Default { get; } = new();

    /// <summary>Exchanges of keys: RFC 5656 section 4.</summary>
    public IReadOnlyList<string> KeyExchanges { get; init; } = ["ecdh-sha2-nistp256", "ecdh-sha2-nistp384"];

    /// <summary>Signatures of the server's key: RFC 5656 section 3, RFC 8332. A server offers those that its keys can make.</summary>
    public IReadOnlyList<string> HostKeys { get; init; } = ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "rsa-sha2-512", "rsa-sha2-256"];

    /// <summary>Ciphers: RFC 5647 under OpenSSH's names, RFC 4344.</summary>
    public IReadOnlyList<string> Ciphers { get; init; } = ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr"];

    /// <summary>MACs, for the ciphers that need one: RFC 6668 and OpenSSH's "encrypt then MAC".</summary>
    public IReadOnlyList<string> Macs { get; init; } = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"];

    /// <summary>Demand of a peer that offers it as well that nothing be put between the packets of the first exchange ("kex-strict-c-v00@openssh.com").</summary>
    public bool IsStrict { get; init; } = true;
}
