using KeepAlive.SystemTests.Lab;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests.Browser;

/// <summary>A real browser: Debian's Chromium, without a window. On this machine, or on a host of the lab.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    public const string Program = "/usr/bin/chromium";

    // A namespace has no graphics, and a container often no /dev/shm; nothing is asked of anybody outside.
    private static readonly string[] Flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly WorkFolder _work;

    private Chromium(IPlaywright playwright, IBrowser browser, WorkFolder work) => (_playwright, _browser, _work) = (playwright, browser, work);

    public static async Task<Chromium> StartAsync(NetworkSpace? inside = null)
    {
        Assert.SkipUnless(File.Exists(Program), $"needs chromium: no {Program} on this machine (eng/test-servers brings it)");
        var work = new WorkFolder();
        IPlaywright playwright = await Playwright.CreateAsync();
        try
        {
            IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = inside is null ? Program : Wrapper(work, inside),
                Headless = true,
                Args = Flags,
                Timeout = Patience.Milliseconds,
                Env = new Dictionary<string, string> { ["TMPDIR"] = work.Folder("temporary"), ["HOME"] = work.Folder("home"), ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin" },
            });
            return new Chromium(playwright, browser, work);
        }
        catch
        {
            playwright.Dispose();
            work.Dispose();
            throw;
        }
    }

    /// <summary>Opens the page, and waits until it is connected.</summary>
    /// <param name="address">Where the page is.</param>
    /// <param name="route">The view: <c>flows</c>, with its parameters.</param>
    /// <param name="width">Of the screen, in pixels.</param>
    public async Task<LivePage> OpenAsync(Uri address, string route, int width = 1280)
    {
        IBrowserContext context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = width < 600 ? 760 : 800 },
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(Patience.Milliseconds);
        return await LivePage.OpenAsync(context, address, route);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
        _work.Dispose();
    }

    // The debugger's pipes are inherited, so that the driver speaks with a browser that is elsewhere.
    private static string Wrapper(WorkFolder work, NetworkSpace inside)
    {
        string path = work.File("chromium");
        File.WriteAllText(path, $"#!/bin/sh\nexec nsenter --net=/run/netns/{inside.Name} -- {Program} \"$@\"\n");
        File.SetUnixFileMode(path, Leftovers.OpenFolder);
        return path;
    }
}

/// <summary>For how long a page's condition is waited for: a busy machine takes many times what it takes alone.</summary>
internal static class Patience
{
    public const float Milliseconds = 60_000;

    public static readonly TimeSpan Time = TimeSpan.FromMilliseconds(Milliseconds);
}
