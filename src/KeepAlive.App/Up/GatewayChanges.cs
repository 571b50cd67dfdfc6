using KeepAlive.App.Configuration;

namespace KeepAlive.App.Up;

/// <summary>What another configuration changes about the gateways.</summary>
/// <param name="Kept">Not touched, though they may have another name or drain.</param>
/// <param name="Retuned">The same ones with another policy, which their living flows get, too.</param>
/// <param name="TakenOver">Another gateway on the same address: it goes on with the listener.</param>
/// <param name="Started">On an address that no gateway listens on.</param>
/// <param name="Ended">Gone, or moved to another address.</param>
internal sealed record GatewayChanges(
    IReadOnlyList<(GatewayConfig Before, GatewayConfig After)> Kept, IReadOnlyList<(GatewayConfig Before, GatewayConfig After)> Retuned,
    IReadOnlyList<(GatewayConfig Before, GatewayConfig After)> TakenOver,
    IReadOnlyList<GatewayConfig> Started, IReadOnlyList<GatewayConfig> Ended)
{
    /// <summary>A gateway is the same one where it listens on the same address; the system's choice of a port is one address for each name.</summary>
    public static GatewayChanges Between(IReadOnlyList<GatewayConfig> before, IReadOnlyList<GatewayConfig> after)
    {
        var kept = new List<(GatewayConfig, GatewayConfig)>();
        var retuned = new List<(GatewayConfig, GatewayConfig)>();
        var taken = new List<(GatewayConfig, GatewayConfig)>();
        var started = new List<GatewayConfig>();
        foreach (GatewayConfig next in after)
        {
            GatewayConfig? same = before.FirstOrDefault(b => b.Options.Listen.Equals(next.Options.Listen) && (next.Options.Listen.Port != 0 || b.Name == next.Name));
            if (same is null) started.Add(next);
            else if (same.Fingerprint != next.Fingerprint) taken.Add((same, next));
            else if (same.Options.Policy == next.Options.Policy) kept.Add((same, next));
            else retuned.Add((same, next));
        }

        GatewayConfig[] ended = [.. before.Where(b => !kept.Concat(retuned).Concat(taken).Any(pair => ReferenceEquals(pair.Item1, b)))];
        return new GatewayChanges(kept, retuned, taken, started, ended);
    }

    /// <summary>How many of which.</summary>
    public override string ToString()
    {
        string[] parts = [Part(Kept.Count, "unchanged"), Part(Retuned.Count, "changed for living flows too"), Part(TakenOver.Count, "changed"), Part(Started.Count, "started"), Part(Ended.Count, "ended")];
        string text = string.Join(", ", parts.Where(part => part.Length > 0));
        return text.Length == 0 ? "no gateways" : "gateways: " + text;

        static string Part(int count, string what) => count == 0 ? "" : $"{count} {what}";
    }
}
