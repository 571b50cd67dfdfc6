using System.Net;
using KeepAlive.Core;

namespace KeepAlive.Protocols;

/// <summary>
/// The data connections beside a control connection, as the protocol sees them. The one question a protocol
/// asks back: where the other end shall dial. Peers are always the control connection's own (RFC 2577).
/// </summary>
internal interface IDataPaths
{
    /// <summary>
    /// Starts to wait for one connection from the peer of <paramref name="from"/>; when it comes, dials
    /// <paramref name="port"/> of the other leg's peer and relays. Replaces an earlier one still waiting.
    /// </summary>
    /// <returns>Where the peer of <paramref name="from"/> shall dial; null when no port could be had.</returns>
    IPEndPoint? Open(Leg from, int port);

    /// <summary>Dials <paramref name="port"/> of the upstream peer for ourselves and reads it to its end.</summary>
    void Drain(int port);

    /// <summary>Whether an address is that of a leg's peer, the only one data goes to.</summary>
    bool IsPeer(Leg leg, IPAddress address);

    /// <summary>Closes every data connection of the flow.</summary>
    void Close();

    /// <summary>Whether a data connection of the flow is open now.</summary>
    bool IsOpen { get; }
}

/// <summary>For a session that opens no data connections of ours: a call, or a stream.</summary>
internal sealed class NoDataPaths : IDataPaths
{
    public static readonly NoDataPaths Instance = new();

    private NoDataPaths()
    {
    }

    public bool IsOpen => false;

    public IPEndPoint? Open(Leg from, int port) => null;

    public void Drain(int port)
    {
    }

    public bool IsPeer(Leg leg, IPAddress address) => false;

    public void Close()
    {
    }
}
