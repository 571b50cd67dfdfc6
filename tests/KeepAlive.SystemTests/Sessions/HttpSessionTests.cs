using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// Long polls of curl's, Chromium's EventSource and WebSocket, and HTTP/2 of .NET's, silent for 24 s behind a middlebox that forgets after
/// 8 s, some with nginx or HAProxy in between, which end what is silent for 5 s.
/// </summary>
public sealed class HttpSessionTests
{
    private const string Silent = "silent";

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task A_long_poll_of_curl_s_is_answered_at_last_by_kernel_keepalive_and_behind_HAProxy_by_102()
    {
        Requires.Programs("curl");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using WebServer server = await StartServerAsync(lab);
        string direct = $"{lab.Server.Address}:{server.Port}";
        await using GatewayProcess kept = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "3:3:2");
        await using GatewayProcess unkept = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "off");
        await using GatewayProcess informing = await GatewayProcess.StartAsync(lab.Server, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--http-interim", "--client-probe", "2:3:2");
        await using ChildProcess proxy = await StartHAProxyAsync(lab, work, direct, $"127.0.0.1:{informing.Port}");
        Task tell = TellAsync(server);
        await Outcomes.AssertAsync(() => $"{kept.Transcript}\n{informing.Transcript}\n{proxy.Transcript}",
            ("alone", PollAsync(lab, direct), Silent),
            ("through a gateway that keeps nothing", PollAsync(lab, $"127.0.0.1:{unkept.Port}"), Silent),
            ("kernel keepalive", PollAsync(lab, $"127.0.0.1:{kept.Port}"), "news"),
            ("behind HAProxy", PollAsync(lab, $"{lab.Server.Address}:{ImpatientPort}"), "504"),
            ("behind HAProxy, 102", PollAsync(lab, $"{lab.Server.Address}:{ImpatientPort + 1}"), "news"));
        await tell;
        Assert.True(informing.Count("probe-sent") >= 8, informing.Transcript);
    }

    [Fact]
    public async Task Chromium_hears_of_the_second_event_and_its_WebSocket_answers()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using WebServer server = await StartServerAsync(lab);
        string direct = $"{lab.Server.Address}:{server.Port}";
        await using GatewayProcess near = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "off", "--probe", "2:3:2");
        await using GatewayProcess far = await GatewayProcess.StartAsync(lab.Server, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "off", "--client-probe", "2:3:2");
        await using ChildProcess impatient = await Nginx.StartAsync(lab, work, ImpatientPort, direct), calmed = await Nginx.StartAsync(lab, work, ImpatientPort + 1, $"127.0.0.1:{far.Port}");
        server.Page = Page(("socket alone", $"ws://{direct}/"), ("socket kept", $"ws://127.0.0.1:{near.Port}/"),
            ("events alone", $"http://{direct}/events"), ("events behind nginx", $"http://{lab.Server.Address}:{ImpatientPort}/events"), ("events kept behind nginx", $"http://{lab.Server.Address}:{ImpatientPort + 1}/events"));
        // From loopback, as pages from elsewhere may not speak to it.
        await using ChildProcess browser = await StartChromiumAsync(lab, work, $"http://127.0.0.1:{near.Port}/page");
        Task tell = TellAsync(server);

        Dictionary<string, string> reports = await ReportsAsync(server, streams: 5, browser);
        await tell;
        string expected = "events alone: one | events behind nginx: one error | events kept behind nginx: one two | socket alone: one | socket kept: one two";
        string seen = string.Join(" | ", reports.OrderBy(r => r.Key, StringComparer.Ordinal).Select(r => $"{r.Key}: {r.Value}"));
        Assert.True(seen == expected, $"{seen}\n{near.Transcript}\n{far.Transcript}");
        Assert.True(near.Count("probe-answered") >= 8, near.Transcript);
        Assert.True(far.Count("probe-sent") >= 8, far.Transcript);
    }

    [Fact]
    public async Task A_stream_of_HTTP_2_outlives_the_middlebox_by_PING()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using WebServer server = await StartServerAsync(lab, HttpProtocols.Http2);
        await using GatewayProcess probed = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "off", "--probe", "2:3:2", "--http2-ping-every", "2s");
        await using GatewayProcess unprobed = await GatewayProcess.StartAsync(lab.Client, $"{lab.Server.Address}", server.Port, "--protocol", "http", "--tcp", "off", "--probe", "off");
        Task tell = TellAsync(server);
        await Outcomes.AssertAsync(() => probed.Transcript,
            ("alone", StreamAsync(lab, $"{lab.Server.Address}:{server.Port}"), Silent),
            ("through a gateway that keeps nothing", StreamAsync(lab, $"127.0.0.1:{unprobed.Port}"), Silent),
            ("PING", StreamAsync(lab, $"127.0.0.1:{probed.Port}"), "data: two"));
        await tell;
        Assert.True(probed.Count("probe-answered") >= 12, probed.Transcript); // both ends'
        Assert.Equal(0, probed.Count("plain-relay"));
    }

    private const int ImpatientPort = 8080;

    private static async Task<WebServer> StartServerAsync(NetworkLab lab, HttpProtocols protocols = HttpProtocols.Http1) =>
        await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)), protocols);

    // The silence is what is tried.
    private static async Task TellAsync(WebServer server)
    {
        await Task.Delay(Silence, TestContext.Current.CancellationToken);
        server.Tell();
    }

    private static async Task<string> PollAsync(NetworkLab lab, string at)
    {
        await using ChildProcess curl = await lab.Client.StartAsync(["curl", "-s", "-w", "\n%{http_code}", "--max-time", $"{(Silence + Patience).TotalSeconds}", $"http://{at}/poll"]);
        await curl.WaitForExitAsync(Silence + Patience + Patience);
        return curl.Lines[^1] switch { "200" => curl.Lines[0], "000" => Silent, var code => code };
    }

    private static async Task<ChildProcess> StartHAProxyAsync(NetworkLab lab, WorkFolder work, string alone, string kept)
    {
        string program = Requires.Server("haproxy", "usr/sbin/haproxy"), configuration = work.File("haproxy.cfg");
        string relay(int port, string to) => $"listen l{port}\n  bind {lab.Server.Address}:{port}\n  server s {to}\n";
        await File.WriteAllTextAsync(configuration, $"""
            defaults
              mode http
              timeout connect 5s
              timeout client 1m
              timeout server 5s
            {relay(ImpatientPort, alone)}
            {relay(ImpatientPort + 1, kept)}

            """, TestContext.Current.CancellationToken);
        ChildProcess haproxy = await lab.Server.StartAsync([program, "-db", "-f", configuration]);
        await lab.Server.ListensAsync(ImpatientPort + 1, haproxy);
        return haproxy;
    }

    private static string Page(params (string Name, string Url)[] streams) => $$"""
        <script>
        const report = (name, what) => fetch('/report?' + encodeURIComponent(name) + '=' + what);
        for (const [name, url] of {{JsonSerializer.Serialize(streams.Select(s => new[] { s.Name, s.Url }))}}) {
          if (url.startsWith('ws')) {
            const socket = new WebSocket(url);
            socket.onopen = () => socket.send('one');
            socket.onmessage = e => { report(name, e.data); if (e.data == 'one') setTimeout(() => socket.send('two'), {{Silence.TotalMilliseconds}}); };
          } else {
            const events = new EventSource(url);
            events.onmessage = e => report(name, e.data);
            events.onerror = () => { report(name, 'error'); events.close(); };
          }
        }
        </script>
        """;

    private static Task<ChildProcess> StartChromiumAsync(NetworkLab lab, WorkFolder work, string url)
    {
        Requires.Programs("chromium");
        string[] flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", $"--user-data-dir={work.Folder("chromium")}"];
        // Killed in the end, it leaves in the temporary folder what it put there.
        return lab.Client.StartAsync(Contained.Command([], ["env", $"TMPDIR={work.Folder("temporary")}", "chromium", .. flags, url]));
    }

    // What each stream came to, until all that can be heard was.
    private static async Task<Dictionary<string, string>> ReportsAsync(WebServer server, int streams, ChildProcess browser)
    {
        var all = new Dictionary<string, string>();
        using var limit = new CancellationTokenSource(Silence + Patience + Patience);
        try
        {
            while (true)
            {
                string[] report = WebUtility.UrlDecode(await server.Reports.ReadAsync(limit.Token)).Split('=');
                all[report[0]] = all.TryGetValue(report[0], out string? before) ? $"{before} {report[1]}" : report[1];
            }
        }
        catch (OperationCanceledException)
        {
            Assert.True(all.Count == streams, $"only {string.Join(", ", all.Keys)} began, of {streams}\n{browser.Transcript}");
            return all;
        }
    }

    private static async Task<string> StreamAsync(NetworkLab lab, string at)
    {
        using var limit = new CancellationTokenSource(Silence + Patience);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (target, cancel) =>
            {
                Socket socket = await lab.Client.InsideAsync(() => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
                await socket.ConnectAsync(target.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using Stream stream = await client.GetStreamAsync(new Uri($"http://{at}/events"), limit.Token);
        using var reader = new StreamReader(stream);
        Assert.Equal("data: one", await reader.ReadLineAsync(limit.Token));
        Assert.Equal("", await reader.ReadLineAsync(limit.Token));
        try
        {
            return await reader.ReadLineAsync(limit.Token) ?? "ended";
        }
        catch (OperationCanceledException)
        {
            return Silent;
        }
    }
}
