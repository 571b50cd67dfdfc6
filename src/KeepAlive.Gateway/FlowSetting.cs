using KeepAlive.Core;
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

    public FlowRelay NewRelay(Flow flow) => NewProtocol is null ? new FlowRelay(flow, this) : new InspectedRelay(flow, this);
}
