using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KeepAlive.Sockets;

/// <summary>
/// What the kernel knows about hearing from the peer, without sending anything: Linux's TCP_INFO (tcp(7), linux/tcp.h).
/// </summary>
internal readonly record struct PeerContact
{
    // struct tcp_info of linux/tcp.h; the part up to rtt has stood since Linux 2.4.
    //
    //   0        1        2            3       4        5        6       7
    //  +--------+--------+------------+-------+--------+--------+-------+-------+
    //  | state  | ca_st. | retransm.  | probes| backoff| options| wscale| flags |
    //  +--------+--------+------------+-------+--------+--------+-------+-------+
    //  8 rto  12 ato  16 snd_mss  20 rcv_mss  24 unacked  28 sacked  32 lost  36 retrans  40 fackets
    //  44 last_data_sent  48 last_ack_sent (never filled)  52 last_data_recv  56 last_ack_recv   (u32 each, ms)
    //  60 pmtu  64 rcv_ssthresh  68 rtt (us)
    internal const int InfoBytes = 72;
    private const int StateAt = 0;
    private const int ProbesAt = 3;
    private const int UnackedAt = 24;
    private const int LastDataSentAt = 44;
    private const int LastDataReceivedAt = 52;
    private const int LastAckReceivedAt = 56;
    private const int RoundTripAt = 68;

    private const int TcpInfo = 11;

    // net/tcp_states.h
    private const byte SynSent = 2;
    private const byte SynReceived = 3;
    private const byte Closed = 7;
    private const byte Listening = 10;

    /// <summary>Keepalive or zero-window probes out without an answer, 0 to 255 (tcpi_probes).</summary>
    public int UnansweredProbes { get; init; }

    /// <summary>Since data came in, or since the connection was made if none has; 1 ms resolution, wraps
    /// after 49.7 days (tcpi_last_data_recv).</summary>
    public TimeSpan SinceData { get; init; }

    /// <summary>Since a segment with an acknowledgement came in, which the answer to a keepalive probe is; same
    /// resolution (tcpi_last_ack_recv).</summary>
    public TimeSpan SinceAck { get; init; }

    /// <summary>Since data was last sent, for the first time or again; same resolution (tcpi_last_data_sent).</summary>
    public TimeSpan SinceSent { get; init; }

    /// <summary>Segments sent and not acknowledged yet, 0 or more (tcpi_unacked). While there are
    /// any, Linux sends no keepalive probes.</summary>
    public int UnacknowledgedSegments { get; init; }

    /// <summary>TCP's own smoothed measure of the round trip, by segments with something to acknowledge: a keepalive probe is none
    /// (tcpi_rtt).</summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>Since the peer gave any sign of life.</summary>
    public TimeSpan Silence => SinceData < SinceAck ? SinceData : SinceAck;

    /// <summary>Whether something sent since the last acknowledgement waits for one. A peer whose buffer is full answers
    /// data with an acknowledgement of a closed window, and Linux waits longer before each next try (0.2 s to 2 min):
    /// unacknowledged segments alone say nothing about a peer.</summary>
    public bool IsAnswerDue => UnansweredProbes > 0 || (UnacknowledgedSegments > 0 && SinceSent < SinceAck);

    /// <summary>Asks the kernel; allocates nothing.</summary>
    /// <param name="socket">A TCP socket.</param>
    /// <returns>Null where there is nothing to tell: not Linux, not TCP, or not connected (listening, connecting, already dead).</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static PeerContact? Read(Socket socket) => Read(socket, Decode);

    /// <summary>The same of a connection that has died: what was known of it at last.</summary>
    /// <returns>Null where there is nothing to tell.</returns>
    /// <exception cref="ArgumentNullException">The socket is null.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static PeerContact? ReadLast(Socket socket) => Read(socket, DecodeLast);

    /// <summary>The meaning of the first 72 bytes of a <c>struct tcp_info</c> of this machine's byte order.</summary>
    internal static PeerContact? Decode(ReadOnlySpan<byte> info) => info[StateAt] is SynSent or SynReceived or Closed or Listening ? null : Facts(info);

    /// <summary>The same of a connection that may have died: its times stand still there until it is closed (tcp.c, tcp_done, tcp_get_info).</summary>
    internal static PeerContact? DecodeLast(ReadOnlySpan<byte> info) => info[StateAt] is SynSent or SynReceived or Listening ? null : Facts(info);

    private static PeerContact? Read(Socket socket, Decoder decode)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsAndroid()) return null;
        Span<byte> info = stackalloc byte[InfoBytes];
        try
        {
            return socket.GetRawSocketOption(KernelOption.Level, TcpInfo, info) == InfoBytes ? decode(info) : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static PeerContact Facts(ReadOnlySpan<byte> info) => new()
    {
        UnansweredProbes = info[ProbesAt],
        SinceData = Milliseconds(info[LastDataReceivedAt..]),
        SinceSent = Milliseconds(info[LastDataSentAt..]),
        SinceAck = Milliseconds(info[LastAckReceivedAt..]),
        UnacknowledgedSegments = MemoryMarshal.Read<int>(info[UnackedAt..]),
        RoundTrip = TimeSpan.FromMicroseconds(MemoryMarshal.Read<uint>(info[RoundTripAt..])),
    };

    private static TimeSpan Milliseconds(ReadOnlySpan<byte> field) => TimeSpan.FromMilliseconds(MemoryMarshal.Read<uint>(field));

    private delegate PeerContact? Decoder(ReadOnlySpan<byte> info);
}
