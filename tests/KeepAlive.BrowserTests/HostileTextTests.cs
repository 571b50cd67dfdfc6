using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.SystemTests.Lab;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>Texts that would be a page's own elsewhere: the name of a process, the name of a gateway, a server's banner and answers.</summary>
public sealed class HostileTextTests
{
    private const string ProcessName = "<img src=/x.gi>"; // as long as a name may be
    private const string GatewayName = "<script>alert(1)</script>";
    private const string Banner = "<img src=/banner.gif onerror=alert(2)><script>alert(3)</script>";

    [Fact]
    public async Task Hostile_names_and_banners_stay_text()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: names of processes");
        await using ChildProcess program = await Python.StartAsync(null, Python.Named, ProcessName, "1", "0");
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task serving = ServeAsync(server, over.Token);
        await using LiveDaemon daemon = await LiveDaemon.StartAsync($$"""{ "name": "{{GatewayName}}", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{((IPEndPoint)server.LocalEndpoint).Port}}", "protocol": "ftp", "probe": "1:3:5", "noCheck": true }""");
        await using Chromium chromium = await Chromium.StartAsync();
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "flows");
        JsonElement listening = await daemon.Up.WaitForAsync("listening", 1);
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(listening.GetProperty("listen").GetString()!));
        await client.GetStream().WriteAsync("USER u\r\nPASS p\r\n"u8.ToArray());

        await LivePage.ExpectAsync(page.Rows.First, GatewayName);
        await Assertions.Expect(page.Rows.First.Locator(".timeline")).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("^[1-9]"), new() { Timeout = Patience.Milliseconds });
        await page.Rows.First.ClickAsync();
        await LivePage.ExpectAsync(page.Tab.Locator(".details .events"), "probe-sent");
        await Screenshots.TakeAsync(page, "hostile-flow");
        await page.GoAsync("gateways");
        await LivePage.ExpectAsync(page.Tab.Locator(".card h2"), GatewayName);
        await page.GoAsync("events");
        await LivePage.ExpectAsync(page.Rows.First, GatewayName);
        await page.GoAsync("connections");
        await page.Tab.GetByLabel("Search connections").FillAsync($"{program.Id}");
        await LivePage.ExpectAsync(page.Rows.First, $"{ProcessName}/{program.Id}");
        await page.Rows.First.ClickAsync();
        await LivePage.ExpectAsync(page.Tab.Locator(".details"), ProcessName);
        await Screenshots.TakeAsync(page, "hostile-process");

        Assert.Equal(0, await page.Tab.Locator("main img, main script, #headline img, #headline script").CountAsync());
        Assert.DoesNotContain(page.Paths, path => path.EndsWith(".gi", StringComparison.Ordinal) || path.EndsWith(".gif", StringComparison.Ordinal));
        await page.AssertCleanAsync();
        await over.CancelAsync();
        await serving;
    }

    // Greets, lets everybody in, and answers what it is asked, by the same words.
    private static async Task ServeAsync(TcpListener server, CancellationToken cancel)
    {
        try
        {
            using TcpClient client = await server.AcceptTcpClientAsync(cancel);
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            await ReplyAsync(220);
            while (await reader.ReadLineAsync(cancel) is { } line) await ReplyAsync(line.StartsWith("USER", StringComparison.Ordinal) ? 331 : line.StartsWith("PASS", StringComparison.Ordinal) ? 230 : 200);

            async Task ReplyAsync(int code) => await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{code} {Banner}\r\n"), cancel);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The gateway has gone, or the test is over.
        }
    }
}
