using KeepAlive.Core;
using KeepAlive.Protocols;

namespace KeepAlive.Gateway;

/// <summary>What all flows of a gateway share.</summary>
internal sealed record FlowSetting(GatewayOptions Options, NewProtocol? NewProtocol, FlowClock Clock, LegKeepAlive KeepAlive, Action<FlowEvent> Emit);
