using KeepAlive.App.Events;
using KeepAlive.Gateway;

namespace KeepAlive.App.Live;

/// <summary>What the daemon knows at the moment, for whoever looks: the page, the API, metrics.</summary>
internal sealed class LiveState
{
    private const int TicksASecond = 4;

    private Task _connectionsRead = Task.CompletedTask;

    public LiveState()
    {
        Flows = new LiveFlows(Gateways);
        Ticker = new LiveTicker(Refresh);
        Measurements = new LiveMeasurements(() => Config.InForce.Paths);
    }

    /// <summary>Unix milliseconds, by the clock that all times are told in.</summary>
    public static long Now => LiveFlowJson.Moment(MonotonicClock.Now);

    /// <summary>When it began.</summary>
    public long StartedAt { get; } = Now;

    public LiveGateways Gateways { get; } = new();

    public LiveFlows Flows { get; }

    public LiveEvents Events { get; } = new();

    public LiveConnections Connections { get; } = new();

    public LiveTicker Ticker { get; }

    /// <summary>Those that were asked for here.</summary>
    public LiveMeasurements Measurements { get; }

    /// <summary>Which configuration is in force.</summary>
    public LiveConfig Config { get; set; } = new("", false, Configuration.Config.Nothing);

    /// <summary>Why not all is done that the configuration says; null when it is.</summary>
    public string? NotReady { get; set; } = "starting";

    /// <summary>Something happened.</summary>
    public void OnTold(ToldEvent told)
    {
        Flows.OnTold(told);
        Events.OnTold(told);
    }

    private void Refresh(long tick, IReadOnlySet<string> topics)
    {
        if (topics.Contains(Topics.Flows))
        {
            Flows.Refresh(MonotonicClock.Now);
            if (tick % TicksASecond == 0) Flows.RefreshKernelProbes(MonotonicClock.Now);
        }

        // Beside the others: it takes as long as the machine has processes.
        bool isDue = tick % (TicksASecond * (long)LiveConnections.Period.TotalSeconds) == 0;
        if (isDue && topics.Contains(Topics.Connections) && _connectionsRead.IsCompleted) _connectionsRead = Task.Run(Connections.Refresh);
    }
}

/// <summary>The configuration in force.</summary>
/// <param name="File">Where it is, or would be.</param>
/// <param name="IsThere">Whether there is one.</param>
/// <param name="InForce">What it says.</param>
internal sealed record LiveConfig(string File, bool IsThere, Configuration.Config InForce);

/// <summary>What somebody may listen to.</summary>
internal static class Topics
{
    public const string Flows = "flows";
    public const string Connections = "connections";
    public const string Events = "events";
    public const string Gateways = "gateways";
    public const string Paths = "paths";
    public const string Measurements = "measurements";

    public static IReadOnlyList<string> All { get; } = [Flows, Connections, Events, Gateways, Paths, Measurements];
}
