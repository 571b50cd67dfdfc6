using System.Text.Json;
using KeepAlive.App.Live;
using KeepAlive.App.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Fleet;

/// <summary><c>/api/v1/fleet</c>: the fleet as this daemon sees it.</summary>
internal static class FleetEndpoint
{
    public const string Path = "/api/v1/fleet";
    private const int HistoryMax = 20;

    // The worst of all machines: who wants more asks a machine.
    private const int FlowsMax = 200;

    /// <param name="fleet">The daemon's; null when it is in none.</param>
    public static Action<IEndpointRouteBuilder> Of(DaemonFleet? fleet)
    {
        if (fleet is null) return routes => routes.MapGet(Path, context => Answers.JsonAsync(context, WriteNone));
        var picture = new FleetPicture(cancel => FleetSight.ReadAsync(fleet.Store, HistoryMax, cancel), TimeProvider.System);
        return routes => routes.MapGet(Path, async context =>
        {
            FleetSeen seen = await picture.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            await Answers.JsonAsync(context, writer => Write(writer, fleet.Machine, fleet.Store.Keys.Fleet, fleet.IsJoined, seen)).ConfigureAwait(false);
        });
    }

    public static void WriteNone(Utf8JsonWriter writer)
    {
        writer.WriteNumber("now", LiveState.Now);
        writer.WriteBoolean("isMember", false);
    }

    public static void Write(Utf8JsonWriter writer, string machine, string fleet, bool isJoined, FleetSeen seen)
    {
        writer.WriteNumber("now", LiveState.Now);
        writer.WriteBoolean("isMember", true);
        writer.WriteString("machine", machine);
        writer.WriteString("fleet", fleet);
        writer.WriteBoolean("isJoined", isJoined);
        writer.WriteStartArray("notes");
        foreach (string note in (string[])[.. seen.Note is { } why ? [why] : Array.Empty<string>(), .. seen.Sight?.Faults ?? []]) writer.WriteStringValue(note);
        writer.WriteEndArray();
        if (seen.Sight is not { } sight) return;
        writer.WriteNumber("readAt", seen.At.ToUnixTimeMilliseconds());
        FleetDocument.WritePolicy(writer, "policy", sight.Policies.Current, withText: true);
        FleetDocument.WriteRollout(writer, sight.Policies.Rollout, sight);
        FleetDocument.WriteMachines(writer, sight);
        FleetDocument.WriteFlows(writer, sight, sight.Worst.Take(FlowsMax));
        FleetDocument.WriteHistory(writer, sight.History);
    }
}
