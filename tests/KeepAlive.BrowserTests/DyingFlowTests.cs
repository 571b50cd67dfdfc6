using System.Text.RegularExpressions;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Ping;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>A real FTP session through a real gateway and NAT, on the page from its login to its end.</summary>
public sealed partial class DyingFlowTests
{
    [Fact]
    public async Task A_session_goes_silent_is_probed_answers_and_dies_before_ones_eyes()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using RealFtpServer server = await RealFtpServer.StartAsync(lab, FtpServerName.Vsftpd);
        await using LiveDaemon daemon = await LiveDaemon.StartAsync($$"""{ "name": "ftp", "listen": "127.0.0.1:0", "to": "{{server.Address}}:{{RealFtpServer.Port}}", "protocol": "ftp", "probe": "4:4:2" }""", lab.Client);
        await using Chromium chromium = await Chromium.StartAsync(lab.Client);
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "flows");
        await LivePage.ExpectAsync(page.Tab.Locator(".empty"), "No flow yet. Connect a client to");

        int port = await daemon.Up.PortOfAsync("ftp");
        await using ChildProcess client = await Python.StartAsync(lab.Client, Python.FtpSession, $"{port}", server.User, server.Password);
        ILocator row = page.Row($"{server.Address}:{RealFtpServer.Port}");
        await LivePage.ExpectAsync(row.Locator(".state"), "alive");
        // Silence grows by itself: the second figure is seen without anything having come.
        await LivePage.ExpectAsync(row.Locator(".silence"), Seconds(1));
        await LivePage.ExpectAsync(row.Locator(".silence"), Seconds(2));
        await Assertions.Expect(row.Locator(".timeline")).ToHaveAttributeAsync("aria-label", SentAndAnswered(), new() { Timeout = Patience.Milliseconds });
        await row.ClickAsync();
        ILocator details = page.Tab.Locator(".details");
        await LivePage.ExpectAsync(details, "4:4:2: idle 4s, 4 probes 2s apart: dead after 12s");
        await LivePage.ExpectAsync(details.Locator(".events"), "probe-answered");

        await using (await Frozen.FreezeAsync(server.Id))
        {
            await LivePage.ExpectAsync(row.Locator(".state"), ProbingSome());
            await LivePage.ExpectAsync(page.Headline, "waits for an answer");
            await LivePage.ExpectAsync(details.Locator(".state"), Probing(3));
            await Screenshots.TakeAsync(page, "flow-probing");
            await LivePage.ExpectAsync(row.Locator(".state"), "dead");
        }

        await LivePage.ExpectAsync(details.Locator(".marks"), "died");
        await LivePage.ExpectAsync(page.Headline, "1 flow died in the last minute");
        await LivePage.ExpectAsync(page.Tab.Locator("#said"), "is dead");
        await Screenshots.TakeAsync(page, "flow-dead");
        await page.GoAsync("events");
        await LivePage.ExpectAsync(page.Rows.Filter(new() { HasText = "died" }).First, "upstream");
        await page.AssertCleanAsync();
    }

    private static Regex Seconds(int n) => new($@"^{n}\.\ds$");

    private static Regex Probing(int atLeast) => new($"probing [{atLeast}-4] of 4");

    [GeneratedRegex("probing [1-4] of 4")]
    private static partial Regex ProbingSome();

    [GeneratedRegex(@"^[1-9]\d* sent, [1-9]\d* answered")]
    private static partial Regex SentAndAnswered();
}
