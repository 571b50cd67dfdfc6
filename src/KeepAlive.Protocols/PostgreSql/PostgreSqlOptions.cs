namespace KeepAlive.Protocols.PostgreSql;

/// <summary>How PostgreSQL sessions are kept alive.</summary>
public sealed record PostgreSqlOptions
{
    /// <summary>How long after the client's last message an idle session is kept alive; default without end, as idle_session_timeout is off by default.</summary>
    public TimeSpan IdleAgeMax { get; init; } = TimeSpan.MaxValue;
}
