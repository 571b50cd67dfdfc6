using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>What all flows of a gateway share.</summary>
internal sealed record FlowSetting(GatewayOptions Options, NewProtocol? NewProtocol, FlowClock Clock, Dialer Dialer, LegKeepAlive KeepAlive, Action<FlowEvent> Emit);
