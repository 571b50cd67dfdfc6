namespace KeepAlive.Protocols.Ssh;

/// <summary>What both ends can be told.</summary>
internal abstract record SshOptions
{
    /// <summary>The most bytes under one set of keys, a gigabyte: RFC 4253 section 9.</summary>
    public const long RekeyAfterBytesDefault = 1L << 30;

    /// <summary>Where random bytes come from.</summary>
    public required SshRandom Random { get; init; }

    /// <summary>The algorithms; default all.</summary>
    public SshOffer Offer { get; init; } = SshOffer.Default;

    /// <summary>Keepalive towards the peer; null for none. The peer's is answered in any case.</summary>
    public SshKeepAlive? KeepAlive { get; init; }

    /// <summary>The time for everything up to the login, and for each exchange of keys after it; default 30 s.</summary>
    public TimeSpan SetupTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Keys are exchanged anew after so many bytes in one direction; default <see cref="RekeyAfterBytesDefault"/>.</summary>
    public long RekeyAfterBytes { get; init; } = RekeyAfterBytesDefault;
}

/// <summary>What a client is told.</summary>
internal sealed record SshClientOptions : SshOptions
{
    /// <summary>Who logs in.</summary>
    public required string User { get; init; }

    /// <summary>Whether a server's key is the one expected. Asked at each exchange of keys.</summary>
    public required Func<SshPublicKey, bool> TrustHostKey { get; init; }

    /// <summary>The user's key; tried first.</summary>
    public SshPrivateKey? Key { get; init; }

    /// <summary>The user's password; tried after the key. Without both, none is tried.</summary>
    public string? Password { get; init; }

    /// <summary>The subsystem for which a channel is opened after the login; null for no channel. Default <c>sftp</c>.</summary>
    public string? Subsystem { get; init; } = "sftp";
}

/// <summary>What a server is told.</summary>
internal sealed record SshServerOptions : SshOptions
{
    /// <summary>The server's keys, the preferred first; at least one.</summary>
    public required IReadOnlyList<SshPrivateKey> HostKeys { get; init; }

    /// <summary>Whether somebody is let in. Compare passwords by <c>CryptographicOperations.FixedTimeEquals</c>.</summary>
    public required Func<SshLogin, bool> LetIn { get; init; }

    /// <summary>Channels that a client may have open; default 10.</summary>
    public int ChannelsMax { get; init; } = 10;

    /// <summary>The most bytes taken from a client, after which it is disconnected; default none.</summary>
    public long BytesMax { get; init; } = long.MaxValue;
}

/// <summary>Somebody who wants to log in, as RFC 4252 has it.</summary>
/// <param name="User">The name.</param>
/// <param name="Password">The password; null when another method is tried.</param>
/// <param name="Key">The key, which the client has proven to hold or will have to; null when another method is tried.</param>
internal sealed record SshLogin(string User, string? Password, SshPublicKey? Key);
