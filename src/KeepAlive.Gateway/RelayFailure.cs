using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>The call on a leg that failed.</summary>
internal enum RelayCall
{
    /// <summary>connect: the upstream leg cannot be had.</summary>
    Connect,

    /// <summary>recv: the source's leg is the one that died.</summary>
    Receive,

    /// <summary>send: the sink's leg is.</summary>
    Send,

    /// <summary>TLS on the source's leg cannot go on.</summary>
    Decrypt,
}

/// <summary>Why a leg died, in words of the field.</summary>
internal static class RelayFailure
{
    /// <summary><c>recv: ETIMEDOUT</c>: the call and the errno as the field knows it.</summary>
    public static string Describe(RelayCall call, SocketError error) => call == RelayCall.Decrypt ? "TLS: an alert, a broken record, or the end in the middle of one"
        : $"{call switch { RelayCall.Connect => "connect", RelayCall.Receive => "recv", _ => "send" }}: {Describe(error)}";

    /// <summary>What kind of end an errno is.</summary>
    public static DeathReason ReasonOf(SocketError error) => error switch
    {
        SocketError.TimedOut => DeathReason.TimedOut,
        SocketError.ConnectionReset or SocketError.Shutdown => DeathReason.Reset,
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => DeathReason.Unreachable,
        _ => DeathReason.Failed,
    };

    /// <summary>An errno as the field knows it, and what it means here.</summary>
    public static string Describe(SocketError error) => error switch
    {
        SocketError.TimedOut => "ETIMEDOUT, keepalive probes or data stayed unanswered",
        SocketError.ConnectionReset => "ECONNRESET, the peer sent a reset",
        SocketError.ConnectionAborted => "ECONNABORTED, closed from outside",
        SocketError.HostUnreachable => "EHOSTUNREACH, no way to the peer",
        SocketError.NetworkUnreachable => "ENETUNREACH, no way to the peer's network",
        SocketError.Shutdown => "EPIPE, the peer has closed already",
        _ => $"{error}, {new SocketException((int)error).Message}",
    };
}

/// <summary>A leg died under a call.</summary>
internal sealed class RelayException(RelayCall call, Exception cause) : Exception(cause.Message, cause)
{
    public RelayCall Call { get; } = call;

    public SocketError Error => InnerException is SocketException socket ? socket.SocketErrorCode : SocketError.OperationAborted;
}
