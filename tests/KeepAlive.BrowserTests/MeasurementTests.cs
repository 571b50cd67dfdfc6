using System.Globalization;
using System.Text.RegularExpressions;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.BrowserTests;

/// <summary>A measurement from the page, through a NAT that forgets, to a real reflector behind it.</summary>
public sealed partial class MeasurementTests
{
    private const int TimeoutSeconds = 7;
    private const int ReflectorPort = 7201;

    [Fact]
    public async Task A_measurement_is_started_watched_and_finds_the_timeout()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { BindingTimeout = TimeSpan.FromSeconds(TimeoutSeconds) });
        await using ChildProcess reflector = await lab.Server.StartAsync([Path.Combine(AppContext.BaseDirectory, "keepalive"), "reflect", "--listen", $"{lab.Server.Address}:{ReflectorPort}"]);
        await lab.Server.ListensAsync(ReflectorPort, reflector);
        await using LiveDaemon daemon = await LiveDaemon.StartAsync(inside: lab.Client);
        await using Chromium chromium = await Chromium.StartAsync(lab.Client);
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "measure");
        await LivePage.ExpectAsync(page.Tab.Locator(".empty"), "Nothing is being measured.");

        await page.Tab.GetByLabel("Far end").FillAsync($"{lab.Server.Address}:{ReflectorPort}");
        await page.Tab.GetByLabel("Longest").FillAsync("20s");
        await page.Tab.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Measure", Exact = true }).ClickAsync();
        await LivePage.ExpectAsync(page.Tab.Locator(".measurement .state"), "running");
        await LivePage.ExpectAsync(page.Tab.Locator(".lanes"), "held");
        await LivePage.ExpectAsync(page.Tab.Locator(".lanes"), "lived");
        await LivePage.ExpectAsync(page.Tab.Locator(".lanes"), "lost");
        await Screenshots.TakeAsync(page, "measure-running");
        await LivePage.ExpectAsync(page.Tab.Locator(".measurement .state"), "done");

        string found = await page.Tab.Locator(".measurement .text").InnerTextAsync();
        Match seconds = After().Match(found);
        Assert.True(seconds.Success && Math.Abs(double.Parse(seconds.Groups[1].Value, CultureInfo.InvariantCulture) - TimeoutSeconds) <= 1, found);
        await Screenshots.TakeAsync(page, "measure-done");
        await page.GoAsync("paths");
        await LivePage.ExpectAsync(page.Tab.Locator(".card"), $"{lab.Server.Address}");
        await LivePage.ExpectAsync(page.Tab.Locator("svg.paths"), "forgotten after");
        await page.AssertCleanAsync();
    }

    [GeneratedRegex(@"after (\d+(\.\d+)?)s")]
    private static partial Regex After();
}
