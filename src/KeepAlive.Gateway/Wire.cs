using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// What a <see cref="Wire"/> tells whoever owns it, from any thread, one call at a time: the caller holds the owner's
/// monitor, which is the lock of both.
/// </summary>
internal interface IWireOwner
{
    /// <summary>The upstream leg is connected: before anything else, and only where the wire had to connect it.</summary>
    void OnConnected();

    /// <summary>Bytes came on an inspected wire. They are read no further than this before it returns.</summary>
    void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now);

    /// <summary>Whether nothing may be read from this leg for now; when that ends, the owner calls <see cref="Wire.Resume"/>.</summary>
    bool IsHolding(Leg from);

    /// <summary>A leg's peer has sent its FIN, and all it had said was handed on. The owner says when the FIN goes on.</summary>
    void OnEnded(Leg from);

    /// <summary>Both FINs are passed on: nothing more will come.</summary>
    void OnDone();

    /// <summary>A leg died under a call.</summary>
    void OnFailed(Leg leg, RelayCall call, SocketError error);

    /// <summary>A fault of our own.</summary>
    void OnFault(Leg leg, Exception fault);
}

/// <summary>
/// The two sockets of one flow and the bytes between them. Plain, it moves them itself; inspected, it hands them to its
/// owner, who says what goes where. Every call but <see cref="Peer"/> and <see cref="Local"/> holds the owner's monitor.
/// </summary>
internal abstract class Wire(IWireOwner owner, Flow flow)
{
    protected IWireOwner Owner { get; } = owner;

    protected Flow Flow { get; } = flow;

    /// <summary>Nothing is handed to the owner but ends and failures.</summary>
    public bool IsPlain { get; private set; }

    /// <summary>Takes over two connected legs, by the best engine there is for them; they are not the caller's any more.</summary>
    public static Wire Join(SocketLeg downstream, SocketLeg upstream, IWireOwner owner, Flow flow, RelayEngine engine)
    {
        foreach (SocketLeg leg in (SocketLeg[])[downstream, upstream])
        {
            // Telnet Synch comes as TCP urgent data; out of line its byte would be lost to the other end.
            leg.Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
        }

        bool isBare = downstream.IsBare && upstream.IsBare;
        return (engine == RelayEngine.Auto && isBare ? EpollWire.Take(downstream.Socket, upstream.Socket, owner, flow) : null)
            ?? (Wire)new SocketWire(downstream, upstream, owner, flow);
    }

    /// <summary>Begins to relay.</summary>
    public void Start(bool isPlain)
    {
        IsPlain = isPlain;
        Begin();
    }

    /// <summary>From here on a plain relay, behind what waits to be sent.</summary>
    public void BecomePlain()
    {
        if (IsPlain) return;
        IsPlain = true;
        Resume();
    }

    /// <summary>Sends bytes to a leg's peer behind those that wait already. Nothing is read for that leg while some wait.</summary>
    /// <param name="to">The leg.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="urgentUpTo">How many of them end in a byte of TCP urgent data; 0 for none.</param>
    public abstract void Send(Leg to, ReadOnlySpan<byte> bytes, int urgentUpTo);

    /// <summary>Passes a FIN to a leg's peer, behind all that waits.</summary>
    public abstract void End(Leg to);

    /// <summary>What held reading back may be over.</summary>
    public abstract void Resume();

    /// <summary>Closes both sockets; twice is harmless. No call of the owner comes after it.</summary>
    public abstract void Close();

    /// <summary>Closes both with RST.</summary>
    public abstract void Reset();

    /// <summary>Whether nothing would tell of this leg's death: its peer has sent its FIN, or it is not read for want of room in the other.</summary>
    public abstract bool IsUnread(Leg leg);

    /// <summary>Whether a leg has ended without the word that TLS has for it, before it was told that the other had ended: somebody may have cut it off.</summary>
    public virtual bool IsCutOff(Leg leg) => false;

    /// <summary>What the kernel knows of hearing from a leg's peer; null where it tells nothing.</summary>
    public abstract PeerContact? Contact(Leg leg);

    /// <summary>The same of a leg that has died, until it is closed.</summary>
    public abstract PeerContact? LastContact(Leg leg);

    /// <summary>Kernel keepalive of a leg, on from now on by this policy. One that is dead is left as it is: that is told elsewhere.</summary>
    public abstract void Keep(Leg leg, KeepAlivePolicy policy, UserTimeout timeout);

    /// <summary>The same, by the policy of its gateway that is in force.</summary>
    public abstract void Renew(Leg leg, LegKeepAlive keepAlive);

    /// <summary>What a leg has failed with since it was last asked.</summary>
    public abstract SocketError ErrorOf(Leg leg);

    /// <summary>The address of a leg's peer; null once it is closed.</summary>
    public abstract IPAddress? Peer(Leg leg);

    /// <summary>Our own address on a leg; null once it is closed.</summary>
    public abstract IPAddress? Local(Leg leg);

    /// <summary>What a leg that is not read has died of; null while it lives.</summary>
    public (DeathReason Reason, string Text)? DeathUnread(Leg leg)
    {
        if (!IsUnread(leg)) return null;
        // The kernel says EPIPE where a FIN came before the reset (tcp_reset).
        SocketError error = ErrorOf(leg);
        return error == SocketError.Success ? null : (RelayFailure.ReasonOf(error),
            (error == SocketError.Shutdown || HasEnded(leg) ? "died after its FIN: " : "")
                + (error is SocketError.Shutdown or SocketError.ConnectionReset ? "the peer sent a reset" : RelayFailure.Describe(error)));
    }

    /// <summary>Whether this leg's peer has sent its FIN.</summary>
    protected abstract bool HasEnded(Leg leg);

    protected abstract void Begin();

    /// <summary>An IPv4 peer on a dual-stack socket, by its IPv4 address.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
