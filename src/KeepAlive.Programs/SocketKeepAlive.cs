using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive;

/// <summary>Kernel keepalive of a TCP socket, in one line, with what became of it.</summary>
/// <remarks>
/// <para>For a connected or accepted socket: <c>TcpClient.Client</c>, what <c>TcpListener.AcceptSocketAsync</c> gives, what is below a
/// <c>NetworkStream</c> or an <c>SslStream</c>. To connect to a name, use <see cref="KeepAliveConnector"/>: on Unix .NET's own connect to
/// several addresses gives up at the first that fails, without a word, once an option was set that .NET has no name for.</para>
/// <para>A listening socket on Linux hands its keepalive to what it accepts. On macOS and the BSDs it must not have any, as their kernels
/// then close the listener: nothing is set there, and the report says so. Set it on each accepted socket.</para>
/// </remarks>
public static class SocketKeepAlive
{
    /// <summary>Sets keepalive and reads back what is in force.</summary>
    /// <param name="socket">A TCP socket, connected, accepted or listening.</param>
    /// <param name="spec"><c>idle:count:interval</c> as in <c>60:3:20</c> or <c>2m:9:15s</c>, named parts, <c>on</c> or <c>off</c>: <see cref="KeepAliveSpec"/>.</param>
    /// <returns>What is in force, and everything that is not exactly as asked.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="FormatException">The text is no SPEC; the message names every fault and its fix.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static KernelKeepAliveReport SetKeepAlive(this Socket socket, string spec) => KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse(spec));

    /// <summary>Sets keepalive and reads back what is in force.</summary>
    /// <remarks>What a platform cannot do, and a call that fails (the peer may have reset the connection), is a
    /// <see cref="Shortfall"/> of the report, never an exception and never silence.</remarks>
    /// <param name="socket">A TCP socket, connected, accepted or listening.</param>
    /// <param name="spec">What is asked for; of a policy, <see cref="KeepAliveSpec.Of"/>.</param>
    /// <param name="userTimeout">How long sent data may stay unacknowledged; by default as long as the policy takes to find a dead peer.</param>
    /// <returns>What is in force, and everything that is not exactly as asked.</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static KernelKeepAliveReport SetKeepAlive(this Socket socket, KeepAliveSpec spec, UserTimeout userTimeout = default) =>
        KernelKeepAlive.Apply(socket, spec, userTimeout);

    /// <summary>What the socket's keepalive is set to now, as its kernel tells it.</summary>
    /// <param name="socket">A TCP socket.</param>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static KernelKeepAliveValues GetKeepAlive(this Socket socket) => KernelKeepAlive.Read(socket);
}
