using KeepAlive.SystemTests.Lab;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests.Browser;

/// <summary>Pictures for docs/page.md, taken where <c>KEEPALIVE_SCREENSHOTS=1</c> asks for them: of what the tests see, not of anything staged.</summary>
internal static class Screenshots
{
    private const int BytesMax = 150 * 1024;

    private static readonly bool IsAsked = Environment.GetEnvironmentVariable("KEEPALIVE_SCREENSHOTS") == "1";

    /// <summary>The page as it is, light and dark.</summary>
    public static async Task TakeAsync(LivePage page, string name)
    {
        if (!IsAsked) return;
        await TakeAsync(page, name, ColorScheme.Light);
        await TakeAsync(page, name + "-dark", ColorScheme.Dark);
        await page.Tab.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }

    private static async Task TakeAsync(LivePage page, string name, ColorScheme scheme)
    {
        await page.Tab.EmulateMediaAsync(new() { ColorScheme = scheme });
        string folder = Path.Combine(Repository.Root, "docs", "screenshots");
        Directory.CreateDirectory(folder);
        byte[] picture = await page.Tab.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
        Assert.True(picture.Length <= BytesMax, $"{name}.png has {picture.Length} bytes, more than {BytesMax}");
    }
}
