using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace KeepAlive.Fleet;

/// <summary>What stands in etcd, as JSON. Whatever is read there may have been written by anybody.</summary>
internal static class FleetJson
{
    /// <summary>Of a policy's text: what is written at once, twice the text in JSON's spelling, fits etcd's 1.5 MiB.</summary>
    public const int PolicyTextMax = 128 << 10;

    // Flows and deaths of one machine: sums over all machines stay far from overflowing.
    private const long CountMax = 1_000_000_000_000;

    // More than any etcd has leases for: a pace of it is slow, and not for ever.
    private const int MachinesMax = 10_000_000;

    private const int FlowsMax = 10_000_000;

    // Names of gateways, addresses, reasons: for people to read in a line.
    private const int LineMax = 1000;

    public static byte[] Write(FleetPolicy policy) => JsonSerializer.SerializeToUtf8Bytes(policy, FleetJsonContext.Default.FleetPolicy);

    public static byte[] Write(Rollout rollout) => JsonSerializer.SerializeToUtf8Bytes(rollout, FleetJsonContext.Default.Rollout);

    public static byte[] Write(PolicyRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, FleetJsonContext.Default.PolicyRecord);

    public static byte[] Write(MachineDigest digest) => JsonSerializer.SerializeToUtf8Bytes(digest, FleetJsonContext.Default.MachineDigest);

    public static byte[] Write(KeptPolicy kept) => JsonSerializer.SerializeToUtf8Bytes(kept, FleetJsonContext.Default.KeptPolicy);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out FleetPolicy? policy, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.FleetPolicy, IsGood, out policy, out fault);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out Rollout? rollout, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.Rollout, IsGood, out rollout, out fault);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out PolicyRecord? record, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.PolicyRecord, r => IsGood(r.Policy) && IsLine(r.Why) && Enum.IsDefined(r.Outcome), out record, out fault);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out MachineDigest? digest, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.MachineDigest, IsGood, out digest, out fault);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out KeptPolicy? kept, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.KeptPolicy, k => IsGood(k.Policy), out kept, out fault);

    public static byte[] Write(FleetSize size) => JsonSerializer.SerializeToUtf8Bytes(size, FleetJsonContext.Default.FleetSize);

    public static bool TryRead(byte[] value, [NotNullWhen(true)] out FleetSize? size, [NotNullWhen(false)] out string? fault) =>
        TryRead(value, FleetJsonContext.Default.FleetSize, s => s.Machines is > 0 and <= MachinesMax, out size, out fault);

    private static bool TryRead<T>(byte[] value, JsonTypeInfo<T> type, Func<T, bool> isGood, [NotNullWhen(true)] out T? read, [NotNullWhen(false)] out string? fault)
        where T : class
    {
        (read, fault) = (null, null);
        try
        {
            read = JsonSerializer.Deserialize(value, type);
        }
        catch (JsonException e)
        {
            fault = $"no JSON of this program at byte {e.BytePositionInLine ?? 0} of line {(e.LineNumber ?? 0) + 1}";
            return false;
        }

        if (read is not null && isGood(read)) return true;
        (read, fault) = (null, "JSON, but with members missing or outside what they may be");
        return false;
    }

    private static bool IsGood(FleetPolicy? policy) =>
        policy is { Number: > 0, Text: { Length: <= PolicyTextMax } } && IsLine(policy.By) && IsLine(policy.Comment);

    private static bool IsGood(Rollout rollout) =>
        IsGood(rollout.Policy) && rollout is { Percent: > 0 and <= 100, Canaries: > 0 } && rollout.Machines >= rollout.Canaries && rollout.Observe > TimeSpan.Zero && rollout.Observe < TimeSpan.FromDays(30);

    private static bool IsGood(MachineDigest digest) =>
        FleetKeys.IsName(digest.Machine ?? "") && IsLine(digest.Version) && digest is { Policy: >= 0, Gateways: >= 0, Deaths: >= 0 and <= CountMax }
        && (digest.Refused is null || IsLine(digest.Refused.Why)) && digest.Flows is { Count: <= 20 } flows && flows.All(f => IsLine(f.Key) && f.Value is >= 0 and <= FlowsMax)
        && (digest.Trial is null || digest.Trial is { Deaths: >= 0 and <= CountMax, FlowSeconds: >= 0 and <= CountMax, Seconds: >= 0 and <= CountMax })
        && digest.Worst is { Count: <= MachineDigest.WorstMax } worst && worst.All(w => w is not null && IsLine(w.Gateway) && IsLine(w.Client) && IsLine(w.Server) && IsLine(w.State) && w is { SilentSeconds: >= 0 and <= CountMax, Unanswered: >= 0 })
        && (digest.Page is null || IsLine(digest.Page));

    private static bool IsLine(string? text) => text is { Length: <= LineMax } && !text.Any(char.IsControl);
}

/// <summary>What a daemon keeps on disk, for when etcd is away as it starts.</summary>
/// <param name="Policy">In force.</param>
/// <param name="IsCanary">It came by a rollout, not as the policy of all.</param>
internal sealed record KeptPolicy(FleetPolicy Policy, bool IsCanary);

/// <summary>How big the fleet is.</summary>
/// <param name="Machines">So many were there.</param>
/// <param name="At">When they were counted, UTC.</param>
internal sealed record FleetSize(int Machines, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(FleetPolicy))]
[JsonSerializable(typeof(Rollout))]
[JsonSerializable(typeof(PolicyRecord))]
[JsonSerializable(typeof(MachineDigest))]
[JsonSerializable(typeof(KeptPolicy))]
[JsonSerializable(typeof(FleetSize))]
internal sealed partial class FleetJsonContext : JsonSerializerContext;
