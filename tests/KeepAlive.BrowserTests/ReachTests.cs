using System.Net;
using System.Net.Sockets;
using KeepAlive.BrowserTests.Browser;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>Everything by keyboard alone, everything on a phone, and what is said when the daemon goes.</summary>
public sealed class ReachTests
{
    private static readonly string[] Views = ["flows", "gateways", "connections", "paths", "events", "explain", "measure"];

    [Fact]
    public async Task Everything_is_reached_by_keyboard()
    {
        await using Scene scene = await Scene.StartAsync(3);
        await using LivePage page = await scene.Chromium.OpenAsync(scene.Daemon.Page, "flows");
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), "3 flows");

        // From the top of the page: the way to the content, then each tab, by its own key and by arrows.
        await page.Tab.Keyboard.PressAsync("Tab");
        await LivePage.ExpectAsync(page.Tab.Locator(":focus"), "To the content");
        await page.Tab.Locator("#tabs a").First.FocusAsync();
        foreach (string view in Views.Skip(1))
        {
            await page.Tab.Keyboard.PressAsync("ArrowRight");
            await page.Tab.Keyboard.PressAsync("Enter");
            await Assertions.Expect(page.Tab.Locator("#tabs a[aria-current]")).ToHaveAttributeAsync("data-view", view);
        }

        await page.Tab.Keyboard.PressAsync("ArrowRight"); // around
        await page.Tab.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Tab.Locator("#tabs a[aria-current]")).ToHaveAttributeAsync("data-view", "flows");

        // Into the table: one stop, then rows by arrows; Enter opens, Escape goes back to the same row.
        for (int i = 0; i < 20 && await page.Tab.Locator(".row:focus").CountAsync() == 0; i++) await page.Tab.Keyboard.PressAsync("Tab");
        await page.Tab.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(page.Tab.Locator(".row:focus")).ToHaveAttributeAsync("aria-rowindex", "3");
        Assert.NotEqual("none", await page.Tab.Locator(".row:focus").EvaluateAsync<string>("row => getComputedStyle(row).outlineStyle"));
        await page.Tab.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Tab.Locator(".details")).ToBeFocusedAsync();
        await page.Tab.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Tab.Locator(".row:focus")).ToHaveAttributeAsync("aria-rowindex", "3");
        await LivePage.ExpectAsync(page.Tab.Locator(".foot .words"), "600:3:10: idle");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task Every_view_fits_a_phone()
    {
        await using Scene scene = await Scene.StartAsync(3);
        await using LivePage page = await scene.Chromium.OpenAsync(scene.Daemon.Page, "flows", width: 375);
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), "3 flows");
        foreach (string view in Views)
        {
            await page.GoAsync(view);
            await Assertions.Expect(page.Tab.Locator("#tabs a[aria-current]")).ToHaveAttributeAsync("data-view", view);
            await Assertions.Expect(page.Tab.Locator("#tabs a[aria-current]")).ToBeInViewportAsync();
            string[] wide = await page.Tab.EvaluateAsync<string[]>("() => [...document.querySelectorAll('main, main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre, .tablebox, svg, .u-wrap') && getComputedStyle(e).visibility !== 'hidden' && e.getClientRects().length).map(e => e.tagName + '.' + e.className)");
            Assert.True(wide.Length == 0, $"{view}: beyond the edge of the screen: {string.Join(", ", wide)}");
            if (view == "explain") await Assertions.Expect(page.Tab.Locator(".uplot canvas")).ToBeVisibleAsync(new() { Timeout = Patience.Milliseconds });
            if (view is "flows" or "explain" or "connections") await Screenshots.TakeAsync(page, $"phone-{view}");
        }

        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_policy_is_explained_as_its_numbers_are_moved()
    {
        await using Scene scene = await Scene.StartAsync(0);
        await using LivePage page = await scene.Chromium.OpenAsync(scene.Daemon.Page, "explain?spec=60:4:15");
        await LivePage.ExpectAsync(page.Tab.Locator(".meaning"), "idle 60s, 4 probes 15s apart: dead after 2m0s");
        await Assertions.Expect(page.Tab.Locator(".uplot canvas")).ToBeVisibleAsync();
        int survived = await page.Tab.Locator(".survival .lives").CountAsync();
        await Screenshots.TakeAsync(page, "explain");
        await page.Tab.GetByLabel("Idle").FocusAsync();
        await page.Tab.Keyboard.PressAsync("End");
        await LivePage.ExpectAsync(page.Tab.Locator(".meaning"), "idle 2h0m0s");
        await Assertions.Expect(page.Tab.GetByLabel("Policy", new() { Exact = true })).ToHaveValueAsync("7200:4:15");
        Assert.True(await page.Tab.Locator(".survival .lives").CountAsync() < survived, "a longer idle survives as many middleboxes");
        await page.Tab.GetByLabel("Policy", new() { Exact = true }).FillAsync("off");
        await LivePage.ExpectAsync(page.Tab.Locator(".explain"), "off");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_daemon_that_goes_is_missed_and_one_that_comes_again_is_found()
    {
        await using Scene scene = await Scene.StartAsync(1);
        await using LivePage page = await scene.Chromium.OpenAsync(scene.Daemon.Page, "flows");
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), "1 flow");
        await scene.Daemon.Up.SignalAsync("KILL");
        await LivePage.ExpectAsync(page.Headline, "No connection to keepalive up.");
        await LivePage.ExpectAsync(page.Tab.Locator("#link"), "lost");
        await Screenshots.TakeAsync(page, "lost");
        await using LiveDaemon again = await LiveDaemon.StartAsync(at: scene.Daemon.Page.Authority);
        await LivePage.ExpectAsync(page.Tab.Locator("#link"), "live");
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), "0 flows");
    }

    /// <summary>A daemon with some flows, and a browser.</summary>
    private sealed class Scene(LiveDaemon daemon, Chromium chromium, TcpListener server, TcpClient[] clients) : IAsyncDisposable
    {
        public LiveDaemon Daemon => daemon;

        public Chromium Chromium => chromium;

        public static async Task<Scene> StartAsync(int flows)
        {
            var server = new TcpListener(IPAddress.Loopback, 0);
            server.Start(); // its queue holds them: nobody has to accept
            LiveDaemon daemon = await LiveDaemon.StartAsync($$"""{ "name": "db", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{((IPEndPoint)server.LocalEndpoint).Port}}", "protocol": "tcp", "tcp": "600:3:10", "noCheck": true }""");
            int port = await daemon.Up.PortOfAsync("db");
            TcpClient[] clients = [.. Enumerable.Range(0, flows).Select(_ => new TcpClient())];
            foreach (TcpClient client in clients) await client.ConnectAsync(IPAddress.Loopback, port);
            return new Scene(daemon, await Chromium.StartAsync(), server, clients);
        }

        public async ValueTask DisposeAsync()
        {
            await chromium.DisposeAsync();
            await daemon.DisposeAsync();
            foreach (TcpClient client in clients) client.Dispose();
            server.Dispose();
        }
    }
}
