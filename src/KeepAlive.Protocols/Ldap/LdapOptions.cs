namespace KeepAlive.Protocols.Ldap;

/// <summary>What is sent to keep an LDAP session alive.</summary>
internal enum LdapProbe
{
    /// <summary>Abandon of an operation that never was. Servers do not answer it: it keeps the path warm and proves nothing.</summary>
    Abandon,

    /// <summary>A search of the root entry: answered, and counted as use by every server.</summary>
    Search,
}

/// <summary>How to keep LDAP sessions alive.</summary>
internal sealed record LdapOptions
{
    /// <summary>Idle time after which an unheld session's own idle policy rules again: the least default among servers (Active Directory's MaxConnIdleTime).</summary>
    public static readonly TimeSpan IdleAgeDefault = TimeSpan.FromMinutes(15);

    /// <summary>What is sent; default <see cref="LdapProbe.Abandon"/>.</summary>
    public LdapProbe Probe { get; init; } = LdapProbe.Abandon;

    /// <summary>How long after the client's last message an idle session is kept alive. More than the default overrides the server's policy.</summary>
    public TimeSpan IdleAgeMax { get; init; } = IdleAgeDefault;
}
