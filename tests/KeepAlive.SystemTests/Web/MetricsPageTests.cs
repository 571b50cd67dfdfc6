using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using KeepAlive.App.Measure;
using KeepAlive.Paths.Measure;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Web;

/// <summary>What Prometheus fetches from a real daemon.</summary>
public sealed class MetricsPageTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly PathFinding ForgetsAfterASecond = new()
    {
        Low = TimeSpan.FromSeconds(1),
        High = TimeSpan.FromSeconds(1.1),
        Expiry = Expiry.Silent,
        ClientKeepAlive = Answer.Yes,
        ClientBytes = Answer.Yes,
    };

    [Fact]
    public async Task Prometheus_own_checker_finds_no_fault_and_the_figures_are_those_of_the_flows()
    {
        string promtool = Requires.Server("prometheus", "usr/bin/promtool");
        using var work = new WorkFolder();
        using Socket listener = DataEnds.ListenOnLastingPort();
        Task serving = AnswerPingsAsync(listener);
        var server = (IPEndPoint)listener.LocalEndPoint!;
        new PathStore(work.File("paths.json")).Save(new PathRecord("redis", server, "127.0.0.1", DateTimeOffset.UtcNow, ForgetsAfterASecond));
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""
            { "gateways": [ { "name": "a \"cache\"", "listen": "127.0.0.1:0", "to": "{{server}}", "protocol": "redis", "probe": "1:3:1" } ], "paths": "{{work.File("paths.json")}}", "dashboard": { "listen": "127.0.0.1:0" } }
            """);
        using var http = new HttpClient { BaseAddress = new Uri((await up.WaitForAsync("page", 1)).GetProperty("text").GetString()!) };
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", await PortAsync(up), Cancel);
        await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), Cancel);
        await client.GetStream().ReadExactlyAsync(new byte["+PONG\r\n".Length], Cancel);

        string text = await UntilAsync(http, "keepalive_binding_saved_total", "upstream", 1);
        text = await UntilAsync(http, "keepalive_probe_answered_total", "upstream", 2);
        Assert.Equal(1, Value(text, "keepalive_flow_active", "alive"));
        Assert.Equal(1, Value(text, "keepalive_flow_opened_total", "redis"));
        Assert.Equal(1, Value(text, "keepalive_binding_saved_total", "upstream")); // one silence, however long
        Assert.Equal(6, Value(text, "keepalive_relay_io_bytes_total", "downstream"));
        Assert.InRange(Value(text, "keepalive_probe_sent_total", "upstream"), 2, 1000);
        Assert.InRange(Value(text, "keepalive_probe_duration_seconds_sum", "upstream"), 0.000001, 60);
        Assert.Contains("""keepalive_gateway="a \"cache\"",""", text, StringComparison.Ordinal);
        await ChildProcess.RunAsync([promtool, "check", "metrics"], text, Cancel);
        await Assert.ThrowsAnyAsync<Exception>(() => ChildProcess.RunAsync([promtool, "check", "metrics"], text + "bad{ 1\n", Cancel)); // it does look

        client.Close();
        await UntilAsync(http, "keepalive_flow_duration_seconds_count", "redis", 1);
        Assert.Equal(0, await up.StopAsync());
        listener.Dispose();
        await serving;
    }

    private static async Task<int> PortAsync(UpProcess up) => IPEndPoint.Parse((await up.WaitForAsync("listening", 1)).GetProperty("listen").GetString()!).Port;

    private static async Task<string> UntilAsync(HttpClient http, string name, string having, double least)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        within.CancelAfter(UpProcess.Patience);
        while (true)
        {
            string text = await http.GetStringAsync("metrics", within.Token);
            if (Value(text, name, having) >= least) return text;
            await Task.Delay(100, within.Token);
        }
    }

    private static double Value(string text, string name, string having) =>
        text.Split('\n').SingleOrDefault(line => Regex.IsMatch(line, $"^{name}{{") && line.Contains($"=\"{having}\"", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture) : double.NaN;

    // As much of Redis as a probe meets: PING is answered by PONG, PING with a word by that word.
    private static async Task AnswerPingsAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                using Socket client = await listener.AcceptAsync();
                byte[] bytes = new byte[1024];
                while (await client.ReceiveAsync(bytes) is > 0 and var count)
                {
                    string asked = Encoding.ASCII.GetString(bytes, 0, count);
                    await client.SendAsync(Encoding.ASCII.GetBytes(asked[0] == '*' ? asked[(asked.IndexOf("PING", StringComparison.Ordinal) + "PING\r\n".Length)..] : "+PONG\r\n"));
                }
            }
        }
        catch (SocketException)
        {
            // The listener is closed, or the gateway was.
        }
    }
}
