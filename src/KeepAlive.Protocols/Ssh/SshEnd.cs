namespace KeepAlive.Protocols.Ssh;

/// <summary>Why a session was ended: the codes of RFC 4253 section 11.1.</summary>
internal enum SshReason
{
    /// <summary>Not among the codes: the bytes ended without a word.</summary>
    None = 0,

    /// <summary>The host is not allowed to connect.</summary>
    HostNotAllowed = 1,

    /// <summary>A message that must not come, or is not well-formed.</summary>
    ProtocolError = 2,

    /// <summary>No key could be agreed upon.</summary>
    KeyExchangeFailed = 3,

    /// <summary>A packet's MAC is wrong.</summary>
    MacError = 5,

    /// <summary>The service is not to be had.</summary>
    ServiceNotAvailable = 7,

    /// <summary>Another version of the protocol.</summary>
    VersionNotSupported = 8,

    /// <summary>The server's key is not the one expected.</summary>
    HostKeyNotVerifiable = 9,

    /// <summary>The connection is lost.</summary>
    ConnectionLost = 10,

    /// <summary>The program's own decision: a peer that keepalive found dead among them.</summary>
    ByApplication = 11,

    /// <summary>Too many are connected.</summary>
    TooManyConnections = 12,

    /// <summary>No way to log in is left.</summary>
    NoMoreAuthMethods = 14,
}

/// <summary>How a session ended.</summary>
/// <param name="Reason">The code, ours or the peer's; a number that RFC 4253 does not know is possible.</param>
/// <param name="Text">What a person needs to know; one line, no control characters.</param>
/// <param name="IsOurs">Whether this end decided it.</param>
internal sealed record SshEnd(SshReason Reason, string Text, bool IsOurs);

/// <summary>What is wrong with what the peer sent, or with what became of it: the session ends by it.</summary>
internal sealed record SshFault(SshReason Reason, string Text)
{
    public static SshFault Protocol(string text) => new(SshReason.ProtocolError, text);

    public static SshFault Short(SshMessage message) => Protocol($"message {(byte)message} ({message}) is shorter than its fields");
}
