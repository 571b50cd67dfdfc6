using System.Text.Json;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.SystemTests.Lab;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>A policy given from the page to a program that knows nothing of it; the kernel is asked whether it has it.</summary>
public sealed class PolicyTests
{
    private const string Name = "orders";

    [Fact]
    public async Task A_change_is_shown_before_it_is_made_and_the_kernel_agrees()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: other programs' sockets");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: other programs' sockets");
        await using ChildProcess program = await Python.StartAsync(null, Python.Named, Name, "2", "7200");
        await using LiveDaemon daemon = await LiveDaemon.StartAsync();
        await using Chromium chromium = await Chromium.StartAsync();
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "connections");
        string owner = $"{Name}/{program.Id}";
        await page.Tab.GetByLabel("Search connections").FillAsync(owner);
        await Assertions.Expect(page.Rows).ToHaveCountAsync(4, new() { Timeout = Patience.Milliseconds }); // two connections, both ends of each
        await LivePage.ExpectAsync(page.Rows.Nth(0), "dies unnoticed: keepalive off");
        await LivePage.ExpectAsync(page.Row("7200:9:75").First, "too slow for a 350s middlebox");

        await page.Row("7200:9:75").First.ClickAsync();
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = $"All of {owner}" }).ClickAsync();
        ILocator dialog = page.Tab.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Policy").FillAsync("45:5:9");
        await LivePage.ExpectAsync(dialog.Locator(".meaning"), "idle 45s, 5 probes 9s apart");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        await LivePage.ExpectAsync(dialog.Locator(".outcome"), "5 sockets would be changed");
        await LivePage.ExpectAsync(dialog.Locator("tr", new() { HasText = "7200:9:75" }).First.Locator(".after"), "45:5:9");
        Assert.DoesNotContain(await OptionsAsync(program.Id), options => options.StartsWith("45:5:9", StringComparison.Ordinal));
        await Screenshots.TakeAsync(page, "policy-preview");

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await LivePage.ExpectAsync(dialog.Locator(".outcome"), "5 sockets changed.");
        Assert.Equal(Enumerable.Repeat("45:5:9", 5), await OptionsAsync(program.Id));
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Assertions.Expect(page.Row("45:5:9")).ToHaveCountAsync(4, new() { Timeout = Patience.Milliseconds });
        await Screenshots.TakeAsync(page, "connections");
        await page.AssertCleanAsync();
    }

    [Fact]
    public async Task A_policy_that_is_none_is_refused_with_the_reason()
    {
        await using ChildProcess program = await Python.StartAsync(null, Python.Named, Name, "1", "0");
        await using LiveDaemon daemon = await LiveDaemon.StartAsync();
        await using Chromium chromium = await Chromium.StartAsync();
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "connections");
        await page.Tab.GetByLabel("Search connections").FillAsync($"{Name}/{program.Id}");
        await page.Rows.First.ClickAsync();
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Change its policy" }).ClickAsync();
        ILocator dialog = page.Tab.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Policy").FillAsync("60:15s:4");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Preview" }).ClickAsync();
        await LivePage.ExpectAsync(dialog.GetByRole(AriaRole.Alert), "idle:count:interval");
        await Assertions.Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Apply" })).ToBeDisabledAsync();
    }

    // What the kernel says, by a program that has nothing to do with the daemon.
    private static async Task<string[]> OptionsAsync(int pid)
    {
        string listing = await ChildProcess.RunAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "list", "--json", "--state", "all", "--pid", $"{pid}"]);
        int end = listing.LastIndexOf("\n}", StringComparison.Ordinal) + 2;
        using var document = JsonDocument.Parse(listing[listing.IndexOf('{', StringComparison.Ordinal)..end]);
        return [.. document.RootElement.GetProperty("connections").EnumerateArray().Select(c => !c.GetProperty("keepalive").GetBoolean() ? "off" : $"{c.GetProperty("idleSeconds")}:{c.GetProperty("count")}:{c.GetProperty("intervalSeconds")}")];
    }
}
