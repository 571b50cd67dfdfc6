using System.Text.Json;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Live;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.App.Up;
using KeepAlive.Gateway;
using KeepAlive.Paths.Catalogue;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Web;

/// <summary>What is known of paths, and which of the policies in force keep them.</summary>
internal sealed class PathDocument(LiveState live)
{
    private const int PathsMax = 200;
    private const int PoliciesMax = 50;
    private const long ReadEvery = 2000;

    private readonly record struct NamedPolicy(string Name, KeepAlivePolicy Policy, bool IsPayload);

    /// <summary>As a document.</summary>
    public LiveDocuments All => field ??= new LiveDocuments(ReadEvery, () => EventText.JsonLine(Write));

    private void Write(Utf8JsonWriter writer)
    {
        PathBook book = PathBook.Empty;
        string? fault = null;
        Config config = live.Config.InForce;
        try
        {
            book = config.Paths.ReadBook();
        }
        catch (MachineException e)
        {
            fault = e.Message;
        }

        writer.WriteString("file", config.Paths.Path);
        if (fault is not null) writer.WriteString("fault", fault);
        NamedPolicy[] policies = [.. Policies(config).Take(PoliciesMax)];
        writer.WriteStartArray("paths");
        foreach (PathRecord path in book.Measured.Take(PathsMax)) Write(writer, path, policies);
        writer.WriteEndArray();
        writer.WriteStartArray("tuned");
        foreach (TunedRecord tuned in book.Tuned.Take(PathsMax)) Write(writer, tuned);
        writer.WriteEndArray();
    }

    private static IEnumerable<NamedPolicy> Policies(Config config)
    {
        foreach (GatewayConfig gateway in config.Gateways)
        {
            GatewayOptions options = gateway.Options;
            if (options.Tcp.Policy is { } tcp) yield return new($"{gateway.Name} tcp", tcp, false);
            if (options.Protocol.Name != "tcp" && options.Probe.Policy is { } probe) yield return new($"{gateway.Name} {options.Protocol.Name}", probe, true);
        }

        foreach (HostPolicy host in config.Hosts)
            if (host.Spec.Policy is { } policy) yield return new(host.Name, policy, false);
    }

    private static void Write(Utf8JsonWriter writer, PathRecord path, NamedPolicy[] policies)
    {
        PathFinding found = path.Finding;
        writer.WriteStartObject();
        writer.WriteString("target", path.Target);
        writer.WriteString("remote", $"{path.Remote}");
        writer.WriteString("local", path.Local);
        writer.WriteNumber("measuredAt", path.MeasuredAt.ToUnixTimeMilliseconds());
        writer.WriteNumber("timeoutMs", found.Low.TotalMilliseconds);
        if (found.High is { } high) writer.WriteNumber("boundMs", high.TotalMilliseconds);
        writer.WriteString("fails", PathRecord.NameOf(found.Expiry));
        writer.WriteString("text", MeasureReport.ToText(found).Split('\n')[0]);
        writer.WriteString("advice", (found.KeepAlivePolicy() ?? found.ProbePolicy())?.ToString());
        writer.WriteStartArray("policies");
        foreach (NamedPolicy named in policies)
        {
            writer.WriteStartObject();
            writer.WriteString("name", named.Name);
            writer.WriteString("spec", named.Policy.ToString());
            writer.WriteNumber("refreshMs", Math.Max(named.Policy.Idle.TotalMilliseconds, named.Policy.Interval.TotalMilliseconds));
            writer.WriteBoolean("survives", Survives(found, named));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, TunedRecord tuned)
    {
        writer.WriteStartObject();
        writer.WriteString("remote", $"{tuned.Remote}");
        writer.WriteNumber("tunedAt", tuned.TunedAt.ToUnixTimeMilliseconds());
        writer.WriteString("spec", tuned.Policy.ToString());
        writer.WriteNumber("idleTimesLived", tuned.IdleTimes);
        writer.WriteNumber("flowsLived", tuned.Flows);
        writer.WriteEndObject();
    }

    private static bool Survives(PathFinding found, NamedPolicy named) => found.High is null
        || ((named.IsPayload ? found.ClientBytes != Answer.No : found.ClientKeepAlive != Answer.No) && BindingMargin.LostProbes(named.Policy, found.Low) is not null);
}
