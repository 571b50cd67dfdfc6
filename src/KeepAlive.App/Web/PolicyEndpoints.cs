using System.Globalization;
using System.Net;
using System.Text.Json;
using KeepAlive.App.Connections;
using KeepAlive.App.Events;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>Keepalive set on connections of running programs, as <c>keepalive apply</c> does: tried dry first, or done.</summary>
internal sealed class PolicyEndpoints(DaemonEvents events) : IDisposable
{
    // What was done is told of so many sockets; of the others, how many.
    private const int ToldMax = 100;

    private readonly SemaphoreSlim _one = new(1);

    public void Map(IEndpointRouteBuilder to)
    {
        to.MapPost("/api/v1/policy", context => ChangeAsync(context, ByProgram));
        to.MapPost("/api/v1/connections/{id}/policy", context => ChangeAsync(context, ById));
    }

    public void Dispose() => _one.Dispose();

    private sealed record Choice(ConnectionScope Scope, Func<Connection, bool> Fits);

    private delegate Choice? Chooser(HttpContext context, RequestBody body, List<string> faults);

    private static Choice? ById(HttpContext context, RequestBody body, List<string> faults)
    {
        string? id = (string?)context.Request.RouteValues["id"];
        if (!ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out ulong cookie)) faults.Add($"'{Texts.Printable(id ?? "")}' is no id of a connection: GET /api/v1/connections tells them");
        return new Choice(new ConnectionScope { States = Changeable }, c => c.Socket.Cookie == cookie);
    }

    private static Choice? ByProgram(HttpContext context, RequestBody body, List<string> faults)
    {
        int? pid = Number(body, "pid", int.MaxValue, faults), port = Number(body, "port", IPEndPoint.MaxPort, faults);
        IPNetwork? remote = null;
        if (body.Text("remote") is { } network && !ConnectionFilter.NetworkText(network, out remote, out string? fault)) faults.Add($"remote: {fault}");
        var filter = new ConnectionFilter(new ConnectionScope { States = Changeable, Pid = pid }, port, remote);
        if (!filter.IsAny && faults.Count == 0) faults.Add("which connections? Give pid, port or remote");
        return new Choice(filter.Scope, filter.Contains);
    }

    // What listeners have, what they accept has; one that is being opened will be established with what it is given now.
    private static TcpStates Changeable => TcpStates.Lasting.With(TcpState.SynSent).With(TcpState.Listening);

    private async Task ChangeAsync(HttpContext context, Chooser choose)
    {
        RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var faults = new List<string>();
        if (body.Fault is not null) faults.Add(body.Fault);
        Choice? choice = choose(context, body, faults);
        if (!KeepAliveSpec.TryParse(body.Text("spec") ?? "", out KeepAliveSpec spec, out string? fault)) faults.Add($"spec: {fault}");
        if (!Texts.UserTimeoutText(body.Text("userTimeout") ?? "auto", out UserTimeout timeout, out fault)) faults.Add($"userTimeout: {fault}");
        if (faults.Count > 0)
        {
            await Answers.FaultsAsync(context, faults).ConfigureAwait(false);
            return;
        }

        if (!OperatingSystem.IsLinux())
        {
            await Answers.FaultAsync(context, StatusCodes.Status503ServiceUnavailable, "Linux only: elsewhere only a program itself can change its sockets").ConfigureAwait(false);
            return;
        }

        await _one.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        try
        {
            await AnswerAsync(context, choice!, SocketSettings.Of(spec, timeout), body.IsTrue("isDry")).ConfigureAwait(false);
        }
        catch (SyscallException e)
        {
            await Answers.FaultAsync(context, StatusCodes.Status503ServiceUnavailable, e.Message).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task AnswerAsync(HttpContext context, Choice choice, SocketSettings settings, bool isDry)
    {
        ConnectionList list = await Task.Run(() => ConnectionReader.Read(choice.Scope with { AllNamespaces = Environment.IsPrivilegedProcess })).ConfigureAwait(false);
        // A gateway sets its own sockets by its own options: two masters would undo each other.
        Connection[] chosen = [.. list.Connections.Where(choice.Fits)], others = [.. chosen.Where(c => c.Owners.All(o => o.Command != "keepalive"))];
        if (others.Length == 0)
        {
            await Answers.FaultAsync(context, StatusCodes.Status404NotFound, chosen.Length > 0 ? "they are keepalive's own, whose gateways set theirs themselves" : "there is no such connection any more").ConfigureAwait(false);
            return;
        }

        IReadOnlyList<ConnectionChange> changes = isDry ? ConnectionSetter.Preview(settings, others) : await Task.Run(() => ConnectionSetter.Apply(settings, others, list.Source)).ConfigureAwait(false);
        if (!isDry) Tell(changes);
        await Answers.JsonAsync(context, writer =>
        {
            writer.WriteBoolean("isDry", isDry);
            writer.WriteString("text", ChangeTable.Summary(changes, isDry));
            writer.WriteStartArray("notes");
            foreach (Shortfall shortfall in settings.Shortfalls) writer.WriteStringValue(shortfall.ToString());
            writer.WriteEndArray();
            writer.WriteStartArray("changes");
            foreach (ConnectionChange change in changes) Write(writer, change, settings, isDry);
            writer.WriteEndArray();
        }).ConfigureAwait(false);
    }

    private void Tell(IReadOnlyList<ConnectionChange> changes)
    {
        foreach (ConnectionChange change in changes.Where(c => c.Kind is ChangeKind.Changed or ChangeKind.Refused).Take(ToldMax))
            events.Tell(change.Kind == ChangeKind.Changed ? "changed" : "not-changed", "page", ChangeTable.Line(change, dry: false));
        if (changes.Count > ToldMax) events.Tell("changed", "page", ChangeTable.Summary(changes, dry: false));
    }

    private static void Write(Utf8JsonWriter writer, ConnectionChange change, SocketSettings settings, bool isDry)
    {
        Connection connection = change.Connection;
        SocketOptions? after = change.Kind switch
        {
            ChangeKind.AlreadySo => connection.Options,
            ChangeKind.Changed when isDry && connection.Options is { } before => settings.Over(before),
            _ => change.After,
        };
        writer.WriteStartObject();
        writer.WritePropertyName("connection");
        ConnectionJson.Write(writer, new Judged(connection, ConnectionVerdict.Of(connection.Socket, connection.Options)));
        WriteOptions(writer, "before", connection.Options);
        WriteOptions(writer, "after", after);
        writer.WriteString("kind", change.Kind switch { ChangeKind.Changed => "changed", ChangeKind.AlreadySo => "same", ChangeKind.Vanished => "vanished", _ => "refused" });
        writer.WriteString("text", ChangeTable.Line(change, isDry));
        if (after is not null) writer.WriteString("verdict", ConnectionVerdict.Of(connection.Socket, after).Text);
        writer.WriteEndObject();
    }

    private static void WriteOptions(Utf8JsonWriter writer, string name, SocketOptions? options)
    {
        if (options is not { KeepAlive: >= 0 })
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartObject(name);
        ConnectionJson.WriteOptions(writer, options);
        writer.WriteString("spec", ConnectionVerdict.Spec(options));
        writer.WriteEndObject();
    }

    private static int? Number(RequestBody body, string name, int most, List<string> faults)
    {
        if (body.Text(name) is not { } text) return null;
        if (Texts.NumberWithin(1, most)(text, out int value, out string? fault)) return value;
        faults.Add($"{name}: {fault}");
        return null;
    }
}
