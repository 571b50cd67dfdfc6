using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Gateway.Transparent;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>What all flows of a gateway share.</summary>
/// <param name="Options">What to do.</param>
/// <param name="NewProtocol">Null for a plain relay.</param>
/// <param name="Clock">Their deadlines; null when the loops keep them.</param>
/// <param name="Dialer">For names, and for data connections.</param>
/// <param name="KeepAlive">Kernel keepalive.</param>
/// <param name="Flows">Those that are open.</param>
/// <param name="Emit">Told of everything.</param>
/// <param name="Stopping">No flow begins any more.</param>
internal sealed record FlowSetting(GatewayOptions Options, NewProtocol? NewProtocol, FlowClock? Clock, Dialer Dialer, LegKeepAlive KeepAlive, FlowSet Flows,
    Action<FlowEvent> Emit, CancellationToken Stopping)
{
    /// <summary>The server, where it is an address.</summary>
    public string ToText { get; } = Options.To.ToString();

    /// <summary>What comes before the bytes.</summary>
    public LegOpening Opening => field ??= new LegOpening(this);

    /// <summary>What a client is told that cannot be served; nothing in plain text to one that expects TLS.</summary>
    public ReadOnlyMemory<byte> Refusal => Options.TlsDownstream is null ? Options.Protocol.Refusal : default;

    /// <summary>The same, where it can be dialled at once: not a name, and nothing comes before the bytes.</summary>
    public IPEndPoint? To { get; } = !Options.HasOpening && Options.To.Address is { } address ? new IPEndPoint(address, Options.To.Port) : null;

    /// <summary>A socket to dial it with, for Linux's engine; -1 when there is none.</summary>
    public int NewUpstream(AddressFamily family, out SocketError fault)
    {
        int fd = Libc.Socket(family);
        int errno = fd < 0 ? Marshal.GetLastPInvokeError() : Options.Redirected is null ? 0 : OwnMark.Set(fd);
        fault = Libc.ToSocketError(errno);
        if (errno == 0 || fd < 0) return fd;
        _ = Libc.close(fd);
        return -1;
    }

    /// <summary>What is told of a dial by Linux's engine that failed.</summary>
    public string Failed(SocketError error) => DialException.Failed(Options.To, Attempts(error, new SocketException((int)error).Message)).Message;

    /// <summary>The same of one that took too long.</summary>
    public string TimedOut() => DialException.TimedOut(Options.To, Options.ConnectTimeout, Attempts(SocketError.TimedOut, "no answer"), null).Message;

    public FlowRelay NewRelay(Flow flow) => NewProtocol is null ? new FlowRelay(flow, this) : new InspectedRelay(flow, this);

    private DialAttempt[] Attempts(SocketError error, string text) => [new DialAttempt(Options.To.Address!, error, text)];
}
