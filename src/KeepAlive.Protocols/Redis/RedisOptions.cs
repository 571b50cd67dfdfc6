namespace KeepAlive.Protocols.Redis;

/// <summary>How Redis sessions are kept alive.</summary>
public sealed record RedisOptions
{
    /// <summary>How long after the client's last command an idle session is kept alive; default without end, as <c>timeout</c> is off by default.</summary>
    public TimeSpan IdleAgeMax { get; init; } = TimeSpan.MaxValue;
}
