using System.Net;

namespace KeepAlive.Protocols.Proxy;

/// <summary>A version of the PROXY protocol (haproxy's <c>proxy-protocol.txt</c>).</summary>
internal enum ProxyVersion
{
    /// <summary>A line of text.</summary>
    V1,

    /// <summary>Binary.</summary>
    V2,
}

/// <summary>Whose connection it is that a proxy passes on, in the words before its first byte.</summary>
/// <param name="Source">The client's address; null where the proxy does not say, or speaks for itself (<c>UNKNOWN</c>, <c>LOCAL</c>).</param>
/// <param name="Destination">The address that the client connected to; null as the source.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination);

/// <summary>What <see cref="ProxyHeaderReader.Read"/> found.</summary>
internal enum ProxyHeaderState
{
    /// <summary>A beginning: all of it belongs to the header, and more must come.</summary>
    NeedMore,

    /// <summary>A whole header.</summary>
    Whole,

    /// <summary>No header, or one that must not be.</summary>
    Malformed,
}
