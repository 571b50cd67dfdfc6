using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>
/// One keepalive probe by the kernel, when it is wanted. A peer with a closed window acknowledges it as well; a middlebox that answers
/// in its place cannot be told from it.
/// </summary>
internal sealed class KernelProbe(Socket socket)
{
    /// <summary>The kernel counts whole seconds: none goes sooner after the last segment.</summary>
    public static readonly TimeSpan IdleMin = TimeSpan.FromSeconds(1);

    // Half of what the peer was silent for at least before the probe.
    private static readonly TimeSpan Slack = IdleMin / 2;

    // When to give up is not the kernel's to decide.
    private static readonly KeepAliveSpec Asking = KeepAliveSpec.Of(new KeepAlivePolicy(IdleMin, 127, IdleMin));

    /// <summary>From now on a silent peer is asked each second.</summary>
    public void Watch() => KernelKeepAlive.Apply(socket, Asking, UserTimeout.Off);

    /// <summary>One goes now, where the peer has been silent for <see cref="IdleMin"/>.</summary>
    public void Send()
    {
        Watch();
        try
        {
            // Linux arms the timer anew for what is left of idle: nothing (net/ipv4/tcp.c, tcp_sock_set_keepidle_locked).
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)IdleMin.TotalSeconds);
        }
        catch (SocketException)
        {
            // It goes a second later; a connection that is gone says so when it is read.
        }
    }

    /// <summary>None goes any more: the silence is to be silence.</summary>
    public void Rest() => KernelKeepAlive.Apply(socket, KeepAliveSpec.Off, UserTimeout.Off);

    /// <summary>TCP's own round trip if a probe sent so long ago was acknowledged; null if not, or not yet.</summary>
    public TimeSpan? Acknowledged(TimeSpan sinceSent) =>
        PeerContact.Read(socket) is { } contact && contact.SinceAck < sinceSent + Slack ? contact.RoundTrip : null;
}
