using System.Net;

namespace KeepAlive.Linux.Diag;

/// <summary>TCP states by the kernel's numbers (net/tcp_states.h).</summary>
public enum TcpState : byte
{
    /// <summary>Not a state the kernel names.</summary>
    Unknown = 0,

    /// <summary>Open.</summary>
    Established = 1,

    /// <summary>Connecting.</summary>
    SynSent = 2,

    /// <summary>Being accepted.</summary>
    SynReceived = 3,

    /// <summary>Closed here, not acknowledged.</summary>
    FinWait1 = 4,

    /// <summary>Closed here, waiting for the peer's FIN.</summary>
    FinWait2 = 5,

    /// <summary>Over, the kernel remembers it for a minute.</summary>
    TimeWait = 6,

    /// <summary>Gone.</summary>
    Closed = 7,

    /// <summary>Closed by the peer, open here.</summary>
    CloseWait = 8,

    /// <summary>Closed on both sides, last acknowledgment due.</summary>
    LastAck = 9,

    /// <summary>Accepting.</summary>
    Listening = 10,

    /// <summary>Closed on both sides at once.</summary>
    Closing = 11,
}

/// <summary>What the kernel's one timer of a connection waits for (inet_diag.h: idiag_timer).</summary>
public enum TcpTimer : byte
{
    /// <summary>Nothing is armed.</summary>
    None = 0,

    /// <summary>Retransmission of unacknowledged data. Hides keepalive, which waits meanwhile.</summary>
    Retransmit = 1,

    /// <summary>Keepalive; also the end of FIN-WAIT-2.</summary>
    KeepAlive = 2,

    /// <summary>The end of TIME-WAIT.</summary>
    TimeWait = 3,

    /// <summary>The peer's window is closed.</summary>
    Persist = 4,

    /// <summary>A delayed acknowledgment.</summary>
    DelayedAck = 5,
}

/// <summary>One TCP socket as inet_diag tells it. Times are as of the reading.</summary>
internal sealed record SocketRow
{
    private static readonly IPEndPoint Nowhere = new(IPAddress.Any, 0);

    /// <summary>State.</summary>
    public TcpState State { get; init; }

    /// <summary>The timer that is armed.</summary>
    public TcpTimer Timer { get; init; }

    /// <summary>When it fires.</summary>
    public TimeSpan TimerLeft { get; init; }

    /// <summary>Retransmissions or probes sent without an answer, by the timer's kind.</summary>
    public int Unanswered { get; init; }

    /// <summary>This end.</summary>
    public IPEndPoint Local { get; init; } = Nowhere;

    /// <summary>The other end.</summary>
    public IPEndPoint Remote { get; init; } = Nowhere;

    /// <summary>The kernel's name for the socket, never reused.</summary>
    public ulong Cookie { get; init; }

    /// <summary>The inode behind its descriptors; 0 when no process holds it.</summary>
    public uint Inode { get; init; }

    /// <summary>The user it belongs to.</summary>
    public uint Uid { get; init; }

    /// <summary>Bytes received that the program has not read; on a listener, connections not accepted.</summary>
    public uint ReceiveQueue { get; init; }

    /// <summary>Bytes written that the peer has not acknowledged; on a listener, the backlog.</summary>
    public uint SendQueue { get; init; }

    /// <summary>Whether the kernel sent the times below (tcp_info).</summary>
    public bool HasInfo { get; init; }

    /// <summary>Since data was last sent.</summary>
    public TimeSpan SinceSent { get; init; }

    /// <summary>Since data was last received.</summary>
    public TimeSpan SinceReceived { get; init; }

    /// <summary>Since an acknowledgment was last received.</summary>
    public TimeSpan SinceAck { get; init; }

    /// <summary>Since the last sign of life of the peer, whichever it was.</summary>
    public TimeSpan Silence => SinceReceived < SinceAck ? SinceReceived : SinceAck;

    /// <summary>Segments sent and not acknowledged.</summary>
    public uint Unacknowledged { get; init; }
}
