using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Gateway;

/// <summary>A gateway could not start: one of its addresses cannot be listened on.</summary>
internal sealed class ListenException : Exception
{
    internal ListenException(IPEndPoint address, SocketException cause)
        : base($"cannot listen on {address}: {cause.Message}", cause) => (Address, Error) = (address, cause.SocketErrorCode);

    /// <summary>The address: where clients are accepted, or a port of the passive range.</summary>
    public IPEndPoint Address { get; }

    /// <summary>The error of bind(2) or listen(2).</summary>
    public SocketError Error { get; }
}
