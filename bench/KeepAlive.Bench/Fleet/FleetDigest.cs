using KeepAlive.Fleet;

namespace KeepAlive.Bench.Fleet;

/// <summary>What a machine of the bench tells: a gateway with a few hundred flows, two of them in need of a look.</summary>
internal static class FleetDigest
{
    /// <summary>Between two changes that a digest shows, on one machine, on average.</summary>
    public static readonly TimeSpan ChangesEvery = TimeSpan.FromSeconds(30);

    /// <summary>Whether something has changed since it was looked at last.</summary>
    public static bool HasChanged(TimeSpan since, Random random) => random.NextDouble() > Math.Exp(-since / ChangesEvery);

    /// <summary>It.</summary>
    /// <param name="changes">How often it has changed.</param>
    public static MachineDigest Of(int changes) => new()
    {
        Machine = "", // the membership's to say
        Version = "0.1.0",
        Started = DateTimeOffset.UnixEpoch,
        Gateways = 3,
        Flows = new Dictionary<string, int> { ["alive"] = 240 + (changes % 7), ["probing"] = 2, ["dead"] = changes % 3 },
        Deaths = changes,
        Worst = [Flow(changes), Flow(changes + 1)],
    };

    /// <summary>Bytes of a digest as it is written.</summary>
    public static int Bytes { get; } = FleetJson.Write(Of(1000) with { Machine = "machine-000000", Policy = 12 }).Length;

    private static WorstFlow Flow(int n) => new("postgres", $"192.0.2.17:{40000 + (n % 1000)}", "198.51.100.3:5432", "probing", 95 + (n % 60), 1);
}
