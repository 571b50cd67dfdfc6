namespace KeepAlive.Protocols;

/// <summary>A session that is encrypted from its first byte: nothing in it can be read.</summary>
internal static class Tls
{
    /// <summary>The first byte a client says: a record of kind handshake (RFC 8446 section 5.1).</summary>
    public const byte Handshake = 0x16;

    /// <summary>Why the flow is a plain relay.</summary>
    public const string Why = "TLS from the first byte: encrypted, kernel keepalive only";
}
