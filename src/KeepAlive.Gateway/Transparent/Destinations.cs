using System.Collections.Concurrent;
using System.Net;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway.Transparent;

/// <summary>
/// The servers that redirected clients dial: what the flows to each share, its protocol and what that has learned of it,
/// is made when the first comes.
/// </summary>
/// <param name="own">Where redirected connections are accepted.</param>
/// <param name="common">What the flows to all of them share.</param>
internal sealed class Destinations(IPEndPoint own, FlowSetting common)
{
    /// <summary>Why a connection without a destination is refused.</summary>
    public const string Direct = "it was dialled here, not redirected: whom to connect it with is not known. Dial the server's own address";

    // About a kilobyte each; past that they are learned anew, which costs nothing but a first transfer's knowledge.
    private const int KnownMax = 10_000;

    private readonly ConcurrentDictionary<IPEndPoint, FlowSetting> _known = new();

    /// <summary>For a connection accepted; null when it was not redirected: dialling ourselves for it would never end.</summary>
    public FlowSetting? Of(int accepted)
    {
        if (OriginalDestination.Of(accepted, own.AddressFamily) is not { } server || server.Equals(own)) return null;
        if (_known.TryGetValue(server, out FlowSetting? known)) return known;
        if (_known.Count >= KnownMax) _known.Clear();
        return _known.GetOrAdd(server, New);
    }

    private FlowSetting New(IPEndPoint server)
    {
        ProtocolEntry protocol = common.Options.Redirected!(server.Port);
        GatewayOptions options = common.Options with
        {
            To = new HostPort(server.Address.ToString(), server.Port),
            Protocol = protocol,
            // Clients dial the server's own address for data, and the server this machine's: past us.
            ProtocolOptions = common.Options.ProtocolOptions with { Ftp = common.Options.ProtocolOptions.Ftp with { IsDataDirect = true } },
        };
        return new FlowSetting(options, protocol.Prepare?.Invoke(options.ProtocolOptionsInForce), common.Clock, common.Dialer, common.KeepAlive, common.Flows, common.Emit, common.Stopping);
    }
}
