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

    private const string Policy = """{ "gateways": [ { "probe": "1:30:1" } ] }""";

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

        // Another machine comes; a policy for both.
        await using FleetDaemon two = await FleetDaemon.StartAsync(etcd, "two", $$"""{ "name": "db", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{peer.Port}}", "protocol": "redis", "noCheck": true }""");
        await LivePage.ExpectAsync(tab, "2");
        await store.SetAsync(Policy, "ann@ops", "the new firewall", null, cancel);
        await LivePage.ExpectAsync(view, "2 of 2 machines have policy 1");
        await LivePage.ExpectAsync(view.Locator(".card").Nth(1), "the new firewall");
        await LivePage.ExpectAsync(page.Row("two").Locator(".has"), "1");
        await view.Locator("summary").ClickAsync();

        // A flow of the other machine waits for an answer, and a policy is on its way.
        using TcpClient speaker = await SilentPeer.SpeakAsync(await two.Up.PortOfAsync("db"));
        await peer.StopAsync();
        await store.SetAsync(Policy, "bob@ops", "a shorter idle", new CanaryOptions(5, TimeSpan.FromMinutes(10)), cancel);
        await LivePage.ExpectAsync(view, "1 of 1 canary has it, of 2 machines");
        await LivePage.ExpectAsync(page.Row("canary").Locator(".has"), "2");
        ILocator flow = view.GetByLabel("Dying flows").Locator("tbody tr");
        await LivePage.ExpectAsync(flow, "twodb");
        await LivePage.ExpectAsync(flow, $"{speaker.Client.LocalEndPoint}");
        await Assertions.Expect(view.Locator("details")).ToHaveAttributeAsync("open", ""); // what is new elsewhere has not closed it
        await Screenshots.TakeAsync(page, "fleet");
        await store.RollBackAsync(null, "ann@ops", cancel);
        await LivePage.ExpectAsync(history, "rolled back");
        await Assertions.Expect(view.Locator("progress")).ToHaveCountAsync(0, new() { Timeout = Patience.Milliseconds });

        await WriteHostileAsync(client, store, page, view, cancel);

        // etcd goes: what was known stays, and it is said.
        await etcd.KillAsync(0);
        await LivePage.ExpectAsync(view, "etcd does not answer");
        await LivePage.ExpectAsync(view, "; this is of ");
        await LivePage.ExpectAsync(page.Row("two").Locator(".has"), "3");
        Assert.Equal(0, await page.Tab.Locator("main img, main script").CountAsync());
        Assert.DoesNotContain(page.Paths, path => path.EndsWith(".gif", StringComparison.Ordinal));
        await page.AssertCleanAsync();
    }

    // Somebody writes what would be a page's own elsewhere.
    private static async Task WriteHostileAsync(EtcdClient client, FleetStore store, LivePage page, ILocator view, CancellationToken cancel)
    {
        var digest = new MachineDigest
        {
            Machine = "three",
            Version = Hostile,
            Started = DateTimeOffset.UtcNow,
            Refused = new PolicyRefusal(1, Hostile),
            Page = Hostile,
            Flows = new Dictionary<string, int> { [Hostile] = 1, ["dead"] = 1 },
            Worst = [new WorstFlow(Hostile, Hostile, Hostile, Hostile, 1, 1)],
        };
        await client.CommitAsync([], [new EtcdWrite(store.Keys.Machine("three"), FleetJson.Write(digest)), new EtcdWrite(store.Keys.Machine(Hostile), "{}"u8.ToArray())], cancel);
        await store.SetAsync(Policy, Hostile, Hostile, null, cancel);
        await LivePage.ExpectAsync(page.Row("three").Locator(".has"), $"refused 1: {Hostile}");
        await LivePage.ExpectAsync(page.Row(Hostile).Filter(new() { HasText = "unknown: " }).Locator(".name"), Hostile);
        await LivePage.ExpectAsync(view.Locator(".card").Nth(1), $"{Hostile}set by {Hostile}");
        await LivePage.ExpectAsync(view.GetByLabel("Dying flows"), $"{Hostile}three{Hostile}");
    }
}
