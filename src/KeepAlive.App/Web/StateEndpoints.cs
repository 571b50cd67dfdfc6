using System.Text.Json;
using KeepAlive.App.Connections;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.App.Live;
using KeepAlive.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>What is: the daemon, its gateways, flows, events, and the machine's connections.</summary>
internal sealed class StateEndpoints
{
    private const int FlowsMax = 10_000;
    private const int ChunkFlows = 1000;
    private const long GatewaysEvery = 1000;

    private readonly LiveState _live;
    private readonly WebRights _rights;

    public StateEndpoints(LiveState live, WebRights rights)
    {
        (_live, _rights) = (live, rights);
        Gateways = new LiveDocuments(GatewaysEvery, () => EventText.JsonLine(WriteGateways));
    }

    /// <summary>The gateways as a document.</summary>
    public LiveDocuments Gateways { get; }

    public void Map(IEndpointRouteBuilder to)
    {
        to.MapGet("/healthz", context => Answers.TextAsync(context, StatusCodes.Status200OK, "ok"));
        to.MapGet("/readyz", context => _live.NotReady is { } why ? Answers.TextAsync(context, StatusCodes.Status503ServiceUnavailable, why) : Answers.TextAsync(context, StatusCodes.Status200OK, "ok"));
        to.MapGet("/api/v1/overview", context => Answers.JsonAsync(context, writer => WriteOverview(writer, context)));
        to.MapGet("/api/v1/gateways", context => Answers.JsonAsync(context, Gateways.Read(LiveState.Now).Json));
        to.MapGet("/api/v1/events", EventsAsync);
        to.MapGet("/api/v1/flows", FlowsAsync);
        to.MapGet("/api/v1/flows/{id:long}", FlowAsync);
        to.MapGet("/api/v1/connections", ConnectionsAsync);
    }

    public void WriteOverview(Utf8JsonWriter writer, HttpContext context)
    {
        WebRight right = _rights.ToWrite(context);
        writer.WriteNumber("now", LiveState.Now);
        writer.WriteString("version", ProgramVersion.Text);
        writer.WriteNumber("startedAt", _live.StartedAt);
        writer.WriteString("host", Environment.MachineName);
        writer.WriteString("user", Environment.UserName);
        writer.WriteBoolean("isRoot", Environment.IsPrivilegedProcess);
        writer.WriteStartObject("config");
        writer.WriteString("file", _live.Config.File);
        writer.WriteBoolean("isThere", _live.Config.IsThere);
        writer.WriteEndObject();
        writer.WriteNumber("flows", _live.Gateways.Flows);
        writer.WriteNumber("gateways", _live.Gateways.All.Count(g => !g.IsEnding));
        writer.WriteStartArray("notes");
        foreach (string note in Notes()) writer.WriteStringValue(note);
        writer.WriteEndArray();
        writer.WriteBoolean("canWrite", right.Why is null);
        writer.WriteString("whyNot", right.Why);
    }

    private IEnumerable<string> Notes()
    {
        if (!_live.Config.IsThere) yield return $"there is no {_live.Config.File}: nothing on this machine is changed; 'keepalive config example' prints one";
        if (_live.NotReady is { } why) yield return why;
        if (_live.Connections.Fault is { } fault) yield return $"connections cannot be read: {fault}";
        foreach (string note in _live.Connections.List?.Notes ?? []) yield return note;
    }

    private void WriteGateways(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("gateways");
        foreach (LiveGateway gateway in _live.Gateways.All)
        {
            GatewayOptions options = gateway.Config.Options;
            TcpChoice tcp = TuneArguments.ChoiceOf(gateway.Config.Parsed);
            bool isPlain = options.Protocol.Name == "tcp";
            writer.WriteStartObject();
            writer.WriteString("name", gateway.Config.Name);
            writer.WriteString("listen", gateway.Gateway.Listening.ToString());
            writer.WriteString("to", options.To.ToString());
            writer.WriteString("protocol", options.Protocol.Name);
            writer.WriteString("tcp", tcp.ToString());
            writer.WriteString("tcpText", tcp.Describe());
            writer.WriteString("probe", isPlain ? "off" : options.Probe.ToString());
            writer.WriteString("probeText", isPlain || !options.Probe.IsOn ? "off" : (options.Probe.Policy ?? KeepAlivePolicy.Default).Describe());
            writer.WriteNumber("flows", gateway.Gateway.Flows);
            writer.WriteBoolean("isEnding", gateway.IsEnding);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private Task EventsAsync(HttpContext context)
    {
        if (!QueryNumber.TryRead(context, "limit", LiveEvents.Max, out int limit)) return QueryNumber.FaultAsync(context, "limit", LiveEvents.Max);
        ToldEvent[] events = _live.Events.Read(0, limit, out _, out _);
        return Answers.JsonAsync(context, writer =>
        {
            writer.WriteNumber("now", LiveState.Now);
            writer.WriteStartArray("events");
            foreach (ToldEvent told in events) writer.WriteRawValue(EventText.Json(told), skipInputValidation: true);
            writer.WriteEndArray();
        });
    }

    private Task FlowsAsync(HttpContext context)
    {
        if (!QueryNumber.TryRead(context, "limit", FlowsMax, out int limit)) return QueryNumber.FaultAsync(context, "limit", FlowsMax);
        string? gateway = context.Request.Query["gateway"], state = context.Request.Query["state"];
        _live.Flows.Refresh(MonotonicClock.Now);
        _live.Flows.RefreshKernelProbes(MonotonicClock.Now);
        LiveFlow[] found = _live.Flows.Find(flow => (gateway is null || flow.Gateway == gateway) && (state is null || LiveFlowJson.StateName(flow.State) == state));
        return Answers.JsonAsync(context, writer =>
        {
            writer.WriteNumber("now", LiveState.Now);
            writer.WriteNumber("found", found.Length);
            writer.WriteStartArray("flows");
            foreach (LiveFlow[] chunk in found.Take(limit).Chunk(ChunkFlows)) _live.Flows.Each(chunk, flow => LiveFlowJson.Write(writer, flow));
            writer.WriteEndArray();
        });
    }

    private Task FlowAsync(HttpContext context)
    {
        long id = long.Parse((string)context.Request.RouteValues["id"]!, System.Globalization.CultureInfo.InvariantCulture);
        _live.Flows.Refresh(MonotonicClock.Now);
        LiveFlow[] found = _live.Flows.Find(flow => flow.Id == id);
        if (found.Length == 0) return Answers.FaultAsync(context, StatusCodes.Status404NotFound, $"there is no flow {id}, or it ended a while ago");
        return Answers.JsonAsync(context, writer =>
        {
            writer.WriteNumber("now", LiveState.Now);
            _live.Flows.Each(found, flow => LiveFlowJson.WriteMembers(writer, flow));
            writer.WriteStartArray("events");
            foreach (ToldEvent told in _live.Events.Of(id)) writer.WriteRawValue(EventText.Json(told), skipInputValidation: true);
            writer.WriteEndArray();
        });
    }

    private async Task ConnectionsAsync(HttpContext context)
    {
        await Task.Run(_live.Connections.Refresh).ConfigureAwait(false);
        if (_live.Connections.Fault is { } fault)
        {
            await Answers.FaultAsync(context, StatusCodes.Status503ServiceUnavailable, fault).ConfigureAwait(false);
            return;
        }

        ConnectionChanges all = _live.Connections.Read(0);
        await Answers.JsonAsync(context, writer =>
        {
            writer.WriteNumber("now", all.ReadAt);
            ConnectionJson.WriteSource(writer, _live.Connections.List);
            writer.WriteStartArray("connections");
            foreach (Judged row in all.Changed) ConnectionJson.Write(writer, row);
            writer.WriteEndArray();
        }).ConfigureAwait(false);
    }
}
