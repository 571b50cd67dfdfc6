using System.Net;
using KeepAlive.Gateway.Tls;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;
using KeepAlive.Protocols.Proxy;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>An inclusive range of ports.</summary>
/// <param name="First">1 to 65535.</param>
/// <param name="Last">Not below <paramref name="First"/>.</param>
internal readonly record struct PortRange(int First, int Last)
{
    /// <summary>How many ports.</summary>
    public int Count => Last - First + 1;
}

/// <summary>What moves the bytes.</summary>
public enum RelayEngine
{
    /// <summary>The best that the machine has: epoll and splice on Linux (x86-64, arm64), otherwise the portable one.</summary>
    Auto,

    /// <summary>The base class library's sockets, as on every other system.</summary>
    Portable,
}

/// <summary>How the flows of a gateway are kept alive: the part of its options that can be changed while they live.</summary>
/// <param name="Tcp"><see cref="GatewayOptions.Tcp"/>.</param>
/// <param name="UserTimeout"><see cref="GatewayOptions.UserTimeout"/>.</param>
/// <param name="Probe"><see cref="GatewayOptions.Probe"/>.</param>
/// <param name="ClientProbe"><see cref="GatewayOptions.ClientProbe"/>.</param>
internal sealed record GatewayPolicy(KeepAliveSpec Tcp, UserTimeout UserTimeout, KeepAliveSpec Probe, KeepAliveSpec ClientProbe);

/// <summary>One gateway: where it listens, whom it dials, and how its flows are kept alive.</summary>
internal sealed record GatewayOptions
{
    /// <summary>Default of <see cref="MaxFlows"/>: two descriptors a flow leave room under the usual limit of 20,000.</summary>
    public const int MaxFlowsDefault = 9500;

    private static readonly KeepAliveSpec ProbeDefault = KeepAliveSpec.Of(new KeepAlivePolicy(TimeSpan.FromSeconds(30), 3, TimeSpan.FromSeconds(10)));

    /// <summary>Where clients are accepted. Port 0 lets the system choose.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>The server; a name is resolved again for each flow.</summary>
    public required HostPort To { get; init; }

    /// <summary>What the flows speak.</summary>
    public required ProtocolEntry Protocol { get; init; }

    /// <summary>
    /// For connections that a rule redirects here (Linux): the protocol of a port. Each is dialled where its client dialled it, so
    /// that neither <see cref="To"/> nor <see cref="Protocol"/> is asked; one that was not redirected is refused. Null: not so.
    /// </summary>
    public Func<int, ProtocolEntry>? Redirected { get; init; }

    /// <summary>For the protocol.</summary>
    public ProtocolOptions ProtocolOptions { get; init; } = new();

    /// <summary>Kernel keepalive on both legs, and on both legs of data connections.</summary>
    public KeepAliveSpec Tcp { get; init; } = KeepAliveSpec.Of(new KeepAlivePolicy(TimeSpan.FromSeconds(60), 3, TimeSpan.FromSeconds(20)));

    /// <summary>Kernel keepalive by the path of each leg, in the place of <see cref="Tcp"/>'s numbers, which are the default then; null: the same for all.</summary>
    public PathPolicies? Paths { get; init; }

    /// <summary>TCP user timeout beside it.</summary>
    public UserTimeout UserTimeout { get; init; } = UserTimeout.Derived;

    /// <summary>The protocol's own probes towards the server; off for none.</summary>
    public KeepAliveSpec Probe { get; init; } = ProbeDefault;

    /// <summary>Those towards the client, where the protocol has any; off for none.</summary>
    public KeepAliveSpec ClientProbe { get; init; } = ProbeDefault;

    /// <summary>How flows are kept alive at first; <see cref="Gateway.ChangePolicy"/> changes it.</summary>
    public GatewayPolicy Policy => new(Tcp, UserTimeout, Probe, ClientProbe);

    /// <summary>Flows at a time; further clients are refused in the protocol's words.</summary>
    public int MaxFlows { get; init; } = MaxFlowsDefault;

    /// <summary>How long connecting to the server may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Ports for data connections that peers dial; null lets the system choose.</summary>
    public PortRange? DataPorts { get; init; }

    /// <summary>Ports of the server to relay one to one, for encrypted control connections whose replies cannot be read.</summary>
    public PortRange? PassiveRange { get; init; }

    /// <summary>What moves the bytes.</summary>
    public RelayEngine Engine { get; init; }

    /// <summary>The leg to the server is TLS; null: as its bytes come. FTP servers get FTPS (RFC 4217).</summary>
    public TlsUpstream? TlsUpstream { get; init; }

    /// <summary>Clients speak TLS to us; null: as their bytes come.</summary>
    public TlsDownstream? TlsDownstream { get; init; }

    /// <summary>Every client begins with a PROXY header; one that does not is refused.</summary>
    public bool ProxyIn { get; init; }

    /// <summary>The version of the PROXY header that the server is told the client by; null for none.</summary>
    public ProxyVersion? ProxyOut { get; init; }

    /// <summary>Whether a leg is TLS.</summary>
    internal bool HasTls => TlsUpstream is not null || TlsDownstream is not null;

    /// <summary>FTP servers are spoken to in FTPS.</summary>
    internal bool IsFtps => TlsUpstream is not null && Protocol.Name == "ftp";

    /// <summary>For the protocol, which legs are TLS included.</summary>
    internal ProtocolOptions ProtocolOptionsInForce => ProtocolOptions with
    {
        Ftp = ProtocolOptions.Ftp with
        {
            Protected = (TlsUpstream is null ? 0 : FtpProtectedLegs.Upstream) | (TlsDownstream is null ? 0 : FtpProtectedLegs.Downstream),
        },
    };

    /// <summary>Whether something comes before the bytes, so that a flow is opened step by step.</summary>
    internal bool HasOpening => HasTls || ProxyIn || ProxyOut is not null;
}
