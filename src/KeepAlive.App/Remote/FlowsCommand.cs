using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KeepAlive.App.Connections;
using KeepAlive.Core;

namespace KeepAlive.App.Remote;

/// <summary><c>keepalive flows</c>: the flows of a daemon's gateways, as its page shows them.</summary>
internal static class FlowsCommand
{
    private static readonly Uri Usual = new("http://127.0.0.1:7200");
    private static readonly string[] Head = ["FLOW", "GATEWAY", "LAYER", "STATE", "SILENT", "POLICY", "CLIENT", "SERVER", "UP", "DOWN"];

    private static readonly Option<bool> Json = new("--json") { Description = "As the API tells them" };

    public static Command Create()
    {
        var command = new Command("flows", "The flows of a running 'keepalive up': their layer, state, silence and policy.") { FromDaemon.FromOption, FromDaemon.TokenOption, Json };
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        try
        {
            using FromDaemon daemon = FromDaemon.Of(parsed, Usual)!;
            using JsonDocument answer = await daemon.GetAsync("/api/v1/flows").ConfigureAwait(false);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(Json)) output.WriteLine(answer.RootElement.GetRawText());
            else Write(output, answer.RootElement);
            return CommandLine.Done;
        }
        catch (Exception e) when (e is FromDaemonException or KeyNotFoundException or InvalidOperationException)
        {
            CommandLine.Complain($"keepalive flows: {(e is FromDaemonException ? e.Message : $"that is no answer of keepalive: {e.Message}")}");
            return CommandLine.Failed;
        }
    }

    private static void Write(TextWriter output, JsonElement answer)
    {
        long now = answer.GetProperty("now").GetInt64();
        JsonElement.ArrayEnumerator flows = answer.GetProperty("flows").EnumerateArray();
        ConnectionTable.WriteColumns(output, [Head, .. flows.Select(flow => Cells(flow, now))]);
    }

    private static string[] Cells(JsonElement flow, long now)
    {
        JsonElement probes = flow.GetProperty("probes"), heard = flow.GetProperty("heardAt"), bytes = flow.GetProperty("bytes");
        string state = Text(flow, "state");
        if (state == "probing") state += string.Create(CultureInfo.InvariantCulture, $" {probes.GetProperty("unanswered").GetInt32()} of {probes.GetProperty("of").GetInt32()}");
        long silent = Math.Max(0, now - Math.Max(heard.GetProperty("down").GetInt64(), heard.GetProperty("up").GetInt64()));
        return
        [
            flow.GetProperty("id").GetInt64().ToString(CultureInfo.InvariantCulture), Text(flow, "gateway"), Text(flow, "layer"), state,
            flow.TryGetProperty("endedAt", out _) ? "-" : Duration.Format(TimeSpan.FromSeconds(silent / 1000)), Text(flow, "policy"), Text(flow, "client"), Text(flow, "server"),
            bytes.GetProperty("up").GetInt64().ToString(CultureInfo.InvariantCulture), bytes.GetProperty("down").GetInt64().ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static string Text(JsonElement flow, string name) => Texts.Printable(flow.GetProperty(name).GetString() ?? "");
}
