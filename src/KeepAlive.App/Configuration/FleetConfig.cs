using System.IO.Enumeration;
using KeepAlive.App.Up;
using KeepAlive.Sockets;

namespace KeepAlive.App.Configuration;

/// <summary>What a policy of the fleet says: it goes before what the file says of the same.</summary>
/// <param name="Gateways">Members for the gateways whose names fit; the first that fits.</param>
/// <param name="Hosts">Before the file's.</param>
/// <param name="Measures">Paths that some machine of each network is to measure.</param>
internal sealed record FleetConfig(IReadOnlyList<GatewayRule> Gateways, IReadOnlyList<HostPolicy> Hosts, IReadOnlyList<MeasureTarget> Measures)
{
    /// <summary>For the gateway of that name; null where nothing is said of it.</summary>
    public GatewayRule? For(string gateway) => Gateways.FirstOrDefault(rule => rule.Fits(gateway));
}

/// <summary>Members for gateways.</summary>
/// <param name="Names">Whose names fit: * and ? stand for any characters.</param>
/// <param name="Entry">What it says.</param>
internal sealed record GatewayRule(string Names, ConfigEntry Entry)
{
    public bool Fits(string name) => FileSystemName.MatchesSimpleExpression(Names, name, ignoreCase: false);
}

/// <summary>A path that is to be known.</summary>
/// <param name="To">A reflector.</param>
/// <param name="Every">What is older is measured again.</param>
/// <param name="Max">The longest silence that is tried.</param>
internal sealed record MeasureTarget(HostPort To, TimeSpan Every, TimeSpan Max);
