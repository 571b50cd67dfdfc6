using KeepAlive.App.Events;
using KeepAlive.App.Measure;
using KeepAlive.App.Up;
using KeepAlive.App.Web;

namespace KeepAlive.App.Configuration;

/// <summary>What <c>keepalive up</c> is to do.</summary>
/// <param name="Gateways">With unique names.</param>
/// <param name="Hosts">The first that matches is in force.</param>
/// <param name="Events">Where events go, with unique names.</param>
/// <param name="Paths">What is known of paths.</param>
internal sealed record Config(IReadOnlyList<GatewayConfig> Gateways, IReadOnlyList<HostPolicy> Hosts, IReadOnlyList<EventTarget> Events, PathStore Paths)
{
    /// <summary>Where the page is, and who may come to it.</summary>
    public WebOptions Dashboard { get; init; } = new();

    /// <summary>Nothing: then it only observes.</summary>
    public static Config Nothing { get; } = new([], [], [], PathStore.Default);
}
