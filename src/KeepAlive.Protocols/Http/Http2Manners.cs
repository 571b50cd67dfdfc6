namespace KeepAlive.Protocols.Http;

/// <summary>How often a server may be pinged: what the operator says, and twice as seldom each time a server complains. Safe for many threads.</summary>
internal sealed class Http2Manners(HttpOptions options)
{
    private long _everyTicks = options.PingEvery.Ticks;

    /// <summary>At most once in this time.</summary>
    public TimeSpan PingEvery => TimeSpan.FromTicks(Interlocked.Read(ref _everyTicks));

    /// <summary>Whether with no stream open too.</summary>
    public bool PingWithoutStreams { get; } = options.PingWithoutStreams;

    /// <summary>A server has ended a connection for our pings (gRPC proposal A8: double what was too often).</summary>
    /// <param name="was">What was too often; another flow may have learned of it already.</param>
    public void OnTooOften(TimeSpan was) => Interlocked.CompareExchange(ref _everyTicks, Math.Min(2 * was.Ticks, TimeSpan.TicksPerDay), was.Ticks);
}
