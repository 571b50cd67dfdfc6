namespace KeepAlive.Protocols.Http;

/// <summary>What an operator may ask of HTTP.</summary>
internal sealed record HttpOptions
{
    /// <summary>What gRPC's servers allow: more often is a strike, and the third ends the connection (gRPC proposal A8).</summary>
    public static readonly TimeSpan PingEveryDefault = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether a client that waits for a response over HTTP/1.1 is sent <c>102 Processing</c> meanwhile (RFC 2518 section 10.1). Clients
    /// pass over it; some proxies take it for the response.
    /// </summary>
    public bool Interim { get; init; }

    /// <summary>How often at most a server is pinged over HTTP/2.</summary>
    public TimeSpan PingEvery { get; init; } = PingEveryDefault;

    /// <summary>Whether a server may be pinged over HTTP/2 with no stream open, which servers of gRPC's count: for who opened the connection only to do so.</summary>
    public bool PingWithoutStreams { get; init; }
}
