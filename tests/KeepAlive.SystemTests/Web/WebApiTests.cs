using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using KeepAlive.App.Live;
using KeepAlive.App.Web;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Web;

/// <summary>What the API tells, of real flows and a real measurement, and that it is what its document says.</summary>
public sealed partial class WebApiTests
{
    private static readonly JsonElement Document = JsonDocument.Parse(OpenApiFile.Bytes).RootElement;
    private static readonly JsonSchemaCheck Check = new(Document);

    [Fact]
    public async Task Every_way_in_is_documented_and_the_reverse()
    {
        using var policies = new PolicyEndpoints(new KeepAlive.App.Events.DaemonEvents());
        using var metrics = new KeepAlive.App.Metrics.DaemonMetrics();
        await using WebServer server = await WebServer.StartAsync(new WebOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) }, new LiveState(), null, policies.Map, KeepAlive.App.Metrics.MetricsEndpoint.Of(metrics), KeepAlive.App.Fleet.FleetEndpoint.Of(null));
        string[] served = [.. server.Routes.Select(route => Constraint().Replace(route.Replace("**", "", StringComparison.Ordinal), "}")).Order(StringComparer.Ordinal)];
        string[] documented = [.. Document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")).Order(StringComparer.Ordinal)];
        Assert.Equal(documented, served);
    }

    [Fact]
    public async Task A_flow_is_told_of_from_its_opening_to_its_end_as_it_happens()
    {
        using var work = new WorkFolder();
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        await using WebPage page = await WebPage.StartAsync(work, $$"""{ "gateways": [ { "name": "one", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{DataEnds.PortOf(listener)}}", "protocol": "tcp", "noCheck": true } ] }""");
        int port = await page.Up.PortOfAsync("one");
        Task<(string, JsonElement Data)> whole = page.HearAsync("flows", (name, data) => name == "flows" && data.GetProperty("isWhole").GetBoolean());
        Assert.Empty((await whole).Data.GetProperty("flows").EnumerateArray());

        Task<(string, JsonElement)> alive = page.HearAsync("flows", (name, data) => name == "flows" && IsThere(data, "alive"));
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, port);
        using Socket server = await listener.AcceptAsync();
        await alive;
        await client.SendAsync(new byte[5]);
        for (int read = 0; read < 5;) read += await server.ReceiveAsync(new byte[5]); // closed with bytes unread, it would be reset
        JsonElement flow = await UntilAsync(page, "/api/v1/flows", answer => answer.GetProperty("flows")[0] is var f && f.GetProperty("bytes").GetProperty("up").GetInt64() == 5, answer => answer.GetProperty("flows")[0]);
        Assert.Equal(("one", "tcp", "60:3:20", $"{client.LocalEndPoint}"), (flow.GetProperty("gateway").GetString(), flow.GetProperty("layer").GetString(), flow.GetProperty("policy").GetString(), flow.GetProperty("client").GetString()));

        Task<(string, JsonElement)> closed = page.HearAsync("flows,events", (name, data) => name == "flows" && IsThere(data, "closed"));
        client.Close();
        server.Close();
        await closed;
        JsonElement one = await page.GetAsync($"/api/v1/flows/{flow.GetProperty("id")}");
        Assert.Equal(["opened", "connected", "closed"], one.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("event").GetString()));
        AssertFits(one, "FlowWithEvents");
        Assert.Equal(0, await page.Up.StopAsync());

        static bool IsThere(JsonElement data, string state) => data.GetProperty("flows").EnumerateArray().Any(f => f.GetProperty("state").GetString() == state);
    }

    [Fact]
    public async Task Every_answer_is_what_the_document_says()
    {
        using var work = new WorkFolder();
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        await using WebPage page = await WebPage.StartAsync(work, $$"""
            { "gateways": [ { "name": "one", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{DataEnds.PortOf(listener)}}", "protocol": "redis", "noCheck": true } ], "hosts": [ { "port": 1, "spec": "60:4:15" } ] }
            """);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, await page.Up.PortOfAsync("one"));
        using Socket server = await listener.AcceptAsync();
        await page.Up.WaitForAsync("connected", 1);
        foreach ((string path, string schema) in ((string, string)[])
        [
            ("/api/v1/overview", "Overview"), ("/api/v1/gateways", "Gateways"), ("/api/v1/flows", "Flows"), ("/api/v1/events", "Events"), ("/api/v1/paths", "Paths"), ("/api/v1/fleet", "Fleet"),
            ("/api/v1/measurements", "Measurements"), ("/api/v1/explain?spec=60:4:15", "Explanation"), ("/api/v1/explain?spec=on&as=nginx", "Explanation"), ("/api/v1/explain?spec=off", "Explanation"),
        ])
            AssertFits(await page.GetAsync(path), schema);
        Assert.Single((await page.GetAsync("/api/v1/flows?gateway=one&state=alive")).GetProperty("flows").EnumerateArray());
        Assert.Empty((await page.GetAsync("/api/v1/flows?gateway=other")).GetProperty("flows").EnumerateArray());
        HttpResponseMessage bad = await page.SendAsync(HttpMethod.Get, "/api/v1/explain?spec=60:4");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, bad.StatusCode);
        AssertFits(JsonDocument.Parse(await bad.Content.ReadAsStringAsync()).RootElement, "Fault");
        Assert.Equal("ok", await (await page.SendAsync(HttpMethod.Get, "/readyz")).Content.ReadAsStringAsync());

        if (!OperatingSystem.IsLinux()) return;
        JsonElement connections = await page.GetAsync("/api/v1/connections");
        AssertFits(connections, "Connections");
        Assert.Contains(connections.GetProperty("connections").EnumerateArray(), c => c.GetProperty("local").GetString() == $"{client.LocalEndPoint}");
    }

    [Fact]
    public async Task A_measurement_is_begun_watched_and_stopped()
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        await using ChildProcess reflector = await ChildProcess.StartAsync([UpProcess.Program, "reflect", "--listen", "127.0.0.1:0", "--json"]);
        JsonElement listening = JsonDocument.Parse(await reflector.WaitForLineAsync(line => line.Contains("\"listen\"", StringComparison.Ordinal), UpProcess.Patience)).RootElement;
        HttpResponseMessage begun = await page.WriteAsync(HttpMethod.Post, "/api/v1/measurements", $$"""{"to":"{{listening.GetProperty("listen").GetString()}}","max":"60"}""");
        Assert.Equal(HttpStatusCode.Created, begun.StatusCode);
        string path = $"{begun.Headers.Location}";
        (_, JsonElement held) = await page.HearAsync("measurements", (name, data) => name == "measurements" && data.GetProperty("measurements")[0].GetProperty("lanes").EnumerateArray().Any(lane => lane.GetProperty("state").GetString() == "lived"));
        AssertFits(held, "Measurements");
        AssertFits(await page.GetAsync(path), "Measurement");
        Assert.Equal(HttpStatusCode.NoContent, (await page.WriteAsync(HttpMethod.Delete, path)).StatusCode);
        Assert.Equal("stopped", (await UntilAsync(page, path, m => m.GetProperty("state").GetString() != "running", m => m)).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await page.WriteAsync(HttpMethod.Delete, path)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await page.SendAsync(HttpMethod.Get, path)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await page.WriteAsync(HttpMethod.Post, "/api/v1/measurements", """{"to":"nowhere"}""")).StatusCode);
    }

    private static void AssertFits(JsonElement answer, string schema) =>
        Assert.Empty(Check.Faults(answer, Document.GetProperty("components").GetProperty("schemas").GetProperty(schema)));

    private static async Task<JsonElement> UntilAsync(WebPage page, string path, Func<JsonElement, bool> isSo, Func<JsonElement, JsonElement> choose)
    {
        using var patience = new CancellationTokenSource(UpProcess.Patience);
        while (true)
        {
            JsonElement answer = await page.GetAsync(path);
            if (isSo(answer)) return choose(answer);
            patience.Token.ThrowIfCancellationRequested();
            await Task.Delay(50, patience.Token);
        }
    }

    [GeneratedRegex(":[a-z]+}")]
    private static partial Regex Constraint();
}
