using System.Text.Json;
using KeepAlive.Fleet;

namespace KeepAlive.App.Fleet;

/// <summary>A fleet in JSON: the same members for <c>--json</c> and for the API. Moments are Unix milliseconds, durations milliseconds.</summary>
internal static class FleetDocument
{
    /// <summary>A policy as a member of that name; null where there is none.</summary>
    public static void WritePolicy(Utf8JsonWriter writer, string name, FleetPolicy? policy, bool withText)
    {
        if (policy is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartObject(name);
        WritePolicy(writer, policy);
        if (withText) writer.WriteString("text", policy.Text);
        writer.WriteEndObject();
    }

    /// <summary>The policy on its way, and how far it has come; null where none is.</summary>
    public static void WriteRollout(Utf8JsonWriter writer, Rollout? rollout, FleetSight? sight)
    {
        if (rollout is null)
        {
            writer.WriteNull("rollout");
            return;
        }

        writer.WriteStartObject("rollout");
        WritePolicy(writer, rollout.Policy);
        writer.WriteNumber("percent", rollout.Percent);
        writer.WriteNumber("canaries", rollout.Canaries);
        writer.WriteNumber("machines", rollout.Machines);
        writer.WriteNumber("observeMs", (long)rollout.Observe.TotalMilliseconds);
        if (sight is not null)
        {
            RolloutProgress progress = RolloutProgress.Of(rollout, sight.Machines);
            writer.WriteNumber("taken", progress.Taken);
            writer.WriteNumber("observedMs", (long)progress.Observed.TotalMilliseconds);
            writer.WriteString("text", progress.Text);
        }

        writer.WriteEndObject();
    }

    /// <summary>A line of the history, without the policy's text, which may be long.</summary>
    public static void WriteRecord(Utf8JsonWriter writer, PolicyRecord record)
    {
        WritePolicy(writer, record.Policy);
        WriteOutcome(writer, record);
    }

    /// <summary>What became of it.</summary>
    public static void WriteOutcome(Utf8JsonWriter writer, PolicyRecord record)
    {
        writer.WriteString("outcome", JsonNamingPolicy.CamelCase.ConvertName(record.Outcome.ToString()));
        writer.WriteString("why", record.Why);
    }

    /// <summary>The history, as it is given: the newest first.</summary>
    public static void WriteHistory(Utf8JsonWriter writer, IEnumerable<PolicyRecord> records)
    {
        writer.WriteStartArray("history");
        foreach (PolicyRecord record in records)
        {
            writer.WriteStartObject();
            WriteRecord(writer, record);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>The machines, without their worst flows.</summary>
    public static void WriteMachines(Utf8JsonWriter writer, FleetSight sight)
    {
        writer.WriteStartArray("machines");
        foreach (FleetMachine machine in sight.Machines) WriteMachine(writer, machine, sight.Policies.Rollout?.IsFor(machine.Name) == true);
        writer.WriteEndArray();
    }

    /// <summary>Flows that need a look, and how many there are of them, told here or not.</summary>
    public static void WriteFlows(Utf8JsonWriter writer, FleetSight sight, IEnumerable<MachineFlow> flows)
    {
        writer.WriteNumber("dead", sight.Flows("dead"));
        writer.WriteNumber("probing", sight.Flows("probing"));
        writer.WriteStartArray("flows");
        foreach (MachineFlow row in flows)
        {
            writer.WriteStartObject();
            writer.WriteString("machine", row.Machine);
            writer.WriteString("gateway", row.Flow.Gateway);
            writer.WriteString("client", row.Flow.Client);
            writer.WriteString("server", row.Flow.Server);
            writer.WriteString("state", row.Flow.State);
            writer.WriteNumber("silentMs", (long)(row.Flow.SilentSeconds * 1000));
            writer.WriteNumber("unanswered", row.Flow.Unanswered);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WritePolicy(Utf8JsonWriter writer, FleetPolicy policy)
    {
        writer.WriteNumber("number", policy.Number);
        writer.WriteString("by", policy.By);
        writer.WriteNumber("setAt", policy.At.ToUnixTimeMilliseconds());
        writer.WriteString("comment", policy.Comment);
    }

    private static void WriteMachine(Utf8JsonWriter writer, FleetMachine machine, bool isCanary)
    {
        writer.WriteStartObject();
        writer.WriteString("machine", FleetText.Cell(machine.Name)); // of a key, which may be as long as etcd's requests
        writer.WriteBoolean("isCanary", isCanary);
        if (machine.Fault is { } fault) writer.WriteString("fault", fault);
        if (machine.Digest is { } digest)
        {
            writer.WriteString("version", digest.Version);
            writer.WriteNumber("startedAt", digest.Started.ToUnixTimeMilliseconds());
            writer.WriteNumber("policy", digest.Policy);
            if (digest.Refused is { } refused)
            {
                writer.WriteStartObject("refused");
                writer.WriteNumber("policy", refused.Policy);
                writer.WriteString("why", refused.Why);
                writer.WriteEndObject();
            }

            writer.WriteNumber("gateways", digest.Gateways);
            writer.WriteStartObject("flows");
            foreach ((string state, int flows) in digest.Flows) writer.WriteNumber(state, flows);
            writer.WriteEndObject();
            writer.WriteNumber("deaths", digest.Deaths);
            if (digest.Page is { } page) writer.WriteString("page", page);
        }

        writer.WriteEndObject();
    }
}
