using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KeepAlive;

/// <summary>What is counted and traced, for whoever listens; nobody does unless told to.</summary>
internal static class Telemetry
{
    /// <summary>Of the meter and of the source of activities.</summary>
    public const string Name = "KeepAlive";

    public static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly UpDownCounter<int> Flows = Meter.CreateUpDownCounter<int>("keepalive.flows", "{flow}", "Flows that are watched.");

    public static readonly Counter<long> Probes = Meter.CreateCounter<long>("keepalive.probes", "{probe}", "Application probes sent.");

    public static readonly Counter<long> PeersDied = Meter.CreateCounter<long>("keepalive.peers_died", "{flow}", "Flows whose peer was found dead.");

    public static readonly Counter<long> Shortfalls = Meter.CreateCounter<long>("keepalive.shortfalls", "{socket}", "Sockets whose keepalive is not exactly as asked.");
}
