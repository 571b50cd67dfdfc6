using System.Net.Sockets;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;
using KeepAlive.SystemTests.Fleet;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>A fleet on the page of one of its machines: what comes, what goes, and what is dying on another one.</summary>
public sealed class FleetTests
{
    private const string Hostile = "<img src=/fleet.gif onerror=alert(1)><script>alert(2)</script>";

    [Fact]
    public async Task The_fleet_is_seen_from_any_machine_of_it_as_it_changes()
    {
        await using EtcdCluster etcd = await EtcdCluster.StartAsync();
        using var client = new EtcdClient(etcd.Options);
        var store = new FleetStore(client, new FleetKeys(FleetKeys.DefaultFleet), TimeProvider.System);
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using SilentPeer peer = await SilentPeer.StartAsync();
        await using FleetDaemon one = await FleetDaemon.StartAsync(etcd, "one", page: "127.0.0.1:0");
        await using Chromium chromium = await Chromium.StartAsync();
        await using LivePage page = await chromium.OpenAsync(new Uri((await one.Up.WaitForAsync("page", 1)).GetProperty("text").GetString()!), "flows");
        ILocator tab = page.Tab.Locator("#tabs a[data-view=fleet]"), view = page.Tab.Locator("main .fleet"), history = view.GetByLabel("History", new() { Exact = true }).First;
        await tab.ClickAsync();
        await LivePage.ExpectAsync(view, "No policy is in force");
        await LivePage.ExpectAsync(view, "None was set yet.");
        await LivePage.ExpectAsync(page.Row("one").Locator(".has"), "none");

        // Another machine comes; a policy for both, in somebody's words.
        await using FleetDaemon two = await FleetDaemon.StartAsync(etcd, "two", $$"""{ "name": "{{Hostile}}", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{peer.Port}}", "protocol": "redis", "noCheck": true }""");
        await LivePage.ExpectAsync(tab, "2");
        await store.SetAsync("""{ "gateways": [ { "probe": "1:30:1" } ] }""", "ann@ops", Hostile, null, cancel);
        await LivePage.ExpectAsync(view, "2 of 2 machines have policy 1");
        await LivePage.ExpectAsync(view.Locator(".card").Nth(1), $"{Hostile}set by ann@ops");
        await LivePage.ExpectAsync(page.Row("two").Locator(".has"), "1");

        // One is on its way, and is taken back.
        await store.SetAsync("{}", "bob@ops", "", new CanaryOptions(5, TimeSpan.FromMinutes(10)), cancel);
        await LivePage.ExpectAsync(view, "1 of 1 canary has it, of 2 machines");
        await LivePage.ExpectAsync(page.Row("canary"), "2");
        await Screenshots.TakeAsync(page, "fleet-rollout");
        await store.RollBackAsync(null, "ann@ops", cancel);
        await LivePage.ExpectAsync(history, "rolled back");
        await Assertions.Expect(view.Locator("progress")).ToHaveCountAsync(0, new() { Timeout = Patience.Milliseconds });

        // A flow of the other machine waits for an answer.
        await LivePage.ExpectAsync(view, "2 of 2 machines have policy 1");
        string listen = (await two.Up.WaitForAsync("listening", 1)).GetProperty("listen").GetString()!;
        using TcpClient speaker = await SilentPeer.SpeakAsync(System.Net.IPEndPoint.Parse(listen).Port);
        await peer.StopAsync();
        ILocator flow = view.GetByLabel("Dying flows").Locator("tbody tr");
        await LivePage.ExpectAsync(flow, "probing");
        await LivePage.ExpectAsync(flow, $"two{Hostile}");
        await LivePage.ExpectAsync(flow, $"{speaker.Client.LocalEndPoint}");
        await Screenshots.TakeAsync(page, "fleet");

        // etcd goes: what was known stays, and it is said.
        await etcd.KillAsync(0);
        await LivePage.ExpectAsync(view, "etcd does not answer");
        await LivePage.ExpectAsync(view, "; this is of ");
        await LivePage.ExpectAsync(page.Row("two").Locator(".has"), "1");
        Assert.Equal(0, await page.Tab.Locator("main img, main script").CountAsync());
        Assert.DoesNotContain(page.Paths, path => path.EndsWith(".gif", StringComparison.Ordinal));
        await page.AssertCleanAsync();
    }
}
