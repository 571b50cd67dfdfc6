using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Behind a real connection tracker that forgets after 8 s, and drops what comes later.</summary>
public sealed class TuneTests
{
    private const int Flows = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Flows_break_until_it_is_tuned_and_the_next_gateway_knows()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));

        await using (GatewayProcess gateway = await StartAsync(lab, listener, work, "--tcp", "12:3:1", "--tune", "--tune-floor", "3s"))
        {
            await using (await FlowsOf.OpenAsync(lab, gateway, listener, Flows)) await gateway.WaitForAsync("died", Flows, Patience);
            await gateway.WaitForTextAsync($"{lab.Server.Address}: a flow broke while idle: idle lowered from 12s to 3s; now 3:3:1");
            await using FlowsOf living = await FlowsOf.OpenAsync(lab, gateway, listener, Flows);
            string holds = await gateway.LineAsync("3:3:1 holds: 10 idle times lived through", Patience);
            Assert.Contains($"by {Flows} flow(s)", holds, StringComparison.Ordinal);
            await living.SpeakAsync();
            // Those that broke together changed it once, and none broke since.
            Assert.Equal((Flows, 2), (gateway.Count("died"), gateway.Count("tuned")));
            Assert.Equal(0, await gateway.StopAsync());
        }

        JsonElement tuned = Assert.Single(JsonDocument.Parse(await File.ReadAllTextAsync(work.File("paths.json"), TestContext.Current.CancellationToken)).RootElement.GetProperty("tuned").EnumerateArray());
        Assert.Equal(($"{lab.Server.Address}", "3:3:1"), (tuned.GetProperty("remote").GetString(), tuned.GetProperty("keepAlivePolicy").GetString()));

        await using GatewayProcess next = await StartAsync(lab, listener, work, "--tcp", "auto");
        Assert.Contains("\"tcp\":\"auto\"", next.Transcript, StringComparison.Ordinal);
        await next.WaitForTextAsync($"10 idle times lived through by {Flows} flow(s): kernel keepalive 3:3:1");
        await using FlowsOf kept = await FlowsOf.OpenAsync(lab, next, listener, Flows);
        await Task.Delay(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken); // longer than the middlebox remembers, shorter than the default's idle
        await kept.SpeakAsync();
        Assert.Equal(0, next.Count("died"));
    }

    // The first flow that breaks changes the live ones, which the middlebox still knows as they were opened later.
    [Fact]
    public async Task Live_flows_are_changed_too()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        await using GatewayProcess gateway = await StartAsync(lab, listener, work, "--tcp", "12:3:1", "--tune", "--tune-floor", "3s");
        await using FlowsOf first = await FlowsOf.OpenAsync(lab, gateway, listener, 1);
        await Task.Delay(TimeSpan.FromSeconds(12), TestContext.Current.CancellationToken); // it is being probed by now, in vain, for 3 s more
        await using FlowsOf second = await FlowsOf.OpenAsync(lab, gateway, listener, 1);
        await gateway.LineAsync("now 3:3:1, on 1 live flow(s), too", Patience);
        await Task.Delay(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken); // longer than the middlebox remembers, shorter than the idle it began with
        await second.SpeakAsync();
        Assert.Equal(1, gateway.Count("died"));
    }

    // It answers what comes for a forgotten flow by a reset: the silence before that is known, and idle goes a step of 15 s below it.
    [Theory]
    [InlineData("auto")]
    [InlineData("portable")]
    public async Task Goes_below_a_silence_that_did_not_survive(string engine)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { Resets = true });
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        await using GatewayProcess gateway = await StartAsync(lab, listener, work, "--tcp", "600:3:1", "--tune", "--tune-floor", "2s", "--engine", engine);
        var silent = Stopwatch.StartNew();
        await using FlowsOf flows = await FlowsOf.OpenAsync(lab, gateway, listener, 1);
        await Task.Delay(TimeSpan.FromSeconds(19.5), TestContext.Current.CancellationToken);
        await flows.BreakAsync();
        string line = await gateway.LineAsync("idle lowered from 10m0s to ", Patience);
        int idle = int.Parse(line.Split("idle lowered from 10m0s to ")[1].Split('s')[0], CultureInfo.InvariantCulture);
        Assert.InRange(idle, 4, Math.Max(4, (int)silent.Elapsed.TotalSeconds - 15));
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_told_and_the_flows_go_on()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        await using GatewayProcess gateway = await StartAsync(lab, listener, work, "--tcp", "10:1:1", "--tune", "--tune-floor", "2s");
        await using (await FlowsOf.OpenAsync(lab, gateway, listener, 1)) await gateway.LineAsync("now 2:1:1", Patience);
        Directory.CreateDirectory(work.File("paths.json.lock"));
        await using FlowsOf living = await FlowsOf.OpenAsync(lab, gateway, listener, 2);
        await gateway.LineAsync("2:1:1 holds, but is not kept", Patience);
        await living.SpeakAsync();
    }

    private static Task<GatewayProcess> StartAsync(NetworkLab lab, Socket listener, WorkFolder work, params string[] options) =>
        GatewayProcess.StartAsync(lab.Client, ["--listen", "127.0.0.1:0", "--to", $"{lab.Server.Address}:{DataEnds.PortOf(listener)}", "--protocol", "tcp", "--no-check", .. options],
            new Dictionary<string, string> { ["KEEPALIVE_PATHS"] = work.File("paths.json") });

    // Clients and their server's ends, which have spoken once.
    private sealed class FlowsOf(List<(Line Client, Line Server)> pairs) : IAsyncDisposable
    {
        public static async Task<FlowsOf> OpenAsync(NetworkLab lab, GatewayProcess gateway, Socket listener, int count)
        {
            var flows = new FlowsOf([]);
            for (int i = 0; i < count; i++)
            {
                var client = new Line(await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)));
                await client.Socket.ConnectAsync(IPAddress.Loopback, gateway.Port);
                flows.Add(client, new Line(await listener.AcceptAsync().WaitAsync(Bench.Patience)));
            }

            await flows.SpeakAsync();
            return flows;
        }

        public async Task SpeakAsync()
        {
            foreach ((Line client, Line server) in pairs) await Bench.PassAsync(client, server, "still there?", "yes");
        }

        // Said after a silence that the path does not survive.
        public async Task BreakAsync()
        {
            foreach ((Line client, _) in pairs)
            {
                await client.SayAsync("still there?");
                Assert.Equal(SocketError.ConnectionReset, await client.EndAsync());
            }
        }

        public ValueTask DisposeAsync()
        {
            foreach ((Line client, Line server) in pairs)
            {
                client.Dispose();
                server.Dispose();
            }

            return ValueTask.CompletedTask;
        }

        private void Add(Line client, Line server) => pairs.Add((client, server));
    }
}
