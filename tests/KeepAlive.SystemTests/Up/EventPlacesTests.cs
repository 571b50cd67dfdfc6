using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KeepAlive.SystemTests.Up;

/// <summary>Where events and metrics of a real daemon go: files, web addresses, a collector.</summary>
public sealed class EventPlacesTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_webhook_hears_each_event_once_though_it_is_away_at_first()
    {
        using var work = new WorkFolder();
        await using var hook = await Receiver.StartAsync([503, 200]);
        await File.WriteAllTextAsync(work.File("token"), "s3cret\n", Cancel);
        using Socket nobody = DataEnds.ListenOnLastingPort();
        int closed = DataEnds.PortOf(nobody);
        nobody.Dispose();
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""
            { "gateways": [ { "name": "nowhere", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{closed}}", "noCheck": true } ],
              "events": [ { "name": "hook", "webhook": "{{hook.Address}}/events", "kinds": "refused", "tokenFile": "{{work.File("token")}}" } ] }
            """);
        using (var client = new TcpClient()) await client.ConnectAsync("127.0.0.1", await up.PortOfAsync("nowhere"), Cancel);
        await up.WaitForAsync("failed", 1, "it answered 503; tried again");
        Received first = await hook.NextAsync(), again = await hook.NextAsync();
        Assert.Equal(("/events", "Bearer s3cret", first.Text), (again.Path, again.Authorization, again.Text));
        JsonElement body = JsonDocument.Parse(again.Bytes).RootElement, e = Assert.Single(body.GetProperty("events").EnumerateArray());
        Assert.Equal((Environment.MachineName, 0, "refused", "nowhere"),
            (body.GetProperty("host").GetString(), body.GetProperty("dropped").GetInt32(), e.GetProperty("event").GetString(), e.GetProperty("gateway").GetString()));
        Assert.DoesNotContain("s3cret", up.Transcript, StringComparison.Ordinal);
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task What_a_webhook_does_not_want_is_dropped_and_the_rest_comes()
    {
        using var work = new WorkFolder();
        await using var hook = await Receiver.StartAsync([400, 200]);
        string Config(string paths) => $$"""{ "events": [ { "webhook": "{{hook.Address}}/", "kinds": "configured" } ], "paths": "{{work.File(paths)}}" }""";
        await using UpProcess up = await UpProcess.StartAsync(work, Config("one"));
        await up.WaitForAsync("failed", 1, "it answered 400; they were dropped");
        await up.RewriteAsync(Config("two"));
        Assert.NotEqual((await hook.NextAsync()).Text, (await hook.NextAsync()).Text);
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task A_file_goes_on_over_a_reload_and_is_begun_anew_where_it_was_moved_away()
    {
        using var work = new WorkFolder();
        string file = work.File("events.json");
        string Config(string paths) => $$"""{ "events": [ { "file": "{{file}}", "kinds": "configured,notice" } ], "paths": "{{work.File(paths)}}" }""";
        await using UpProcess up = await UpProcess.StartAsync(work, Config("one"));
        await up.RewriteAsync(Config("two"));
        await LinesAsync(file, 2);
        File.Move(file, file + ".moved");
        await up.RewriteAsync(Config("three"));
        await LinesAsync(file, 1);
        Assert.Equal(0, await up.StopAsync());
        Assert.Equal((2, 1), (File.ReadAllLines(file + ".moved").Length, File.ReadAllLines(file).Length));
    }

    [Fact]
    public async Task A_collector_gets_the_metrics_by_otlp()
    {
        using var work = new WorkFolder();
        await using var collector = await Receiver.StartAsync([200]);
        await using UpProcess up = await UpProcess.StartAsync(work, """{ "gateways": [ { "name": "nowhere", "listen": "127.0.0.1:0", "to": "127.0.0.1:9", "noCheck": true } ] }""", environment: new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer s3cret",
        });
        Assert.Equal(0, await up.StopAsync()); // what was not sent is sent at the end
        Received sent = await collector.NextAsync();
        Assert.Equal(("/v1/metrics", "Bearer s3cret"), (sent.Path, sent.Authorization));
        Assert.All(["service.name", "keepalive.flow.active", "keepalive.relay.io", "nowhere", "dotnet.gc.collections"], name => Assert.Contains(name, sent.Text, StringComparison.Ordinal));
    }

    private static async Task LinesAsync(string file, int count)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        within.CancelAfter(UpProcess.Patience);
        while (!File.Exists(file) || File.ReadAllLines(file).Length < count) await Task.Delay(20, within.Token);
    }

    private sealed record Received(string Path, string? Authorization, byte[] Bytes)
    {
        public string Text => Encoding.UTF8.GetString(Bytes);
    }

    // Answers with one status after the other, the last one for ever.
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _application;
        private readonly Socket _listener = DataEnds.ListenOnLastingPort();
        private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();
        private int _answered;

        private Receiver(int[] answers)
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)_listener.Handle, on => on.Protocols = HttpProtocols.Http1));
            _application = builder.Build();
            _application.Run(async context =>
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                context.Response.StatusCode = answers[Math.Min(Interlocked.Increment(ref _answered), answers.Length) - 1];
                await _received.Writer.WriteAsync(new Received(context.Request.Path, context.Request.Headers.Authorization, body.ToArray()));
            });
        }

        public string Address => $"http://127.0.0.1:{DataEnds.PortOf(_listener)}";

        public static async Task<Receiver> StartAsync(int[] answers)
        {
            var receiver = new Receiver(answers);
            await receiver._application.StartAsync(Cancel);
            return receiver;
        }

        public Task<Received> NextAsync() => _received.Reader.ReadAsync(Cancel).AsTask().WaitAsync(UpProcess.Patience, Cancel);

        public async ValueTask DisposeAsync()
        {
            using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
            await _application.StopAsync(atOnce.Token);
            await _application.DisposeAsync();
            _listener.Dispose();
        }
    }
}
