using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests.Browser;

/// <summary>
/// The page in a tab, and all that must never happen in it: errors, dialogs, requests that are not the page's own, breaches of its
/// content-security policy.
/// </summary>
internal sealed class LivePage : IAsyncDisposable
{
    private const string TellBreaches = "window.breaches = []; addEventListener('securitypolicyviolation', e => breaches.push(`${e.violatedDirective} ${e.blockedURI}`));";

    private readonly IBrowserContext _context;
    private readonly Uri _address;
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentQueue<string> _paths = new();

    private LivePage(IBrowserContext context, IPage tab, Uri address) => (_context, Tab, _address) = (context, tab, address);

    public IPage Tab { get; }

    /// <summary>What was asked for, by path.</summary>
    public IReadOnlyCollection<string> Paths => _paths;

    /// <summary>The line that says what is wrong.</summary>
    public ILocator Headline => Tab.Locator("#headline");

    /// <summary>The rows of the table that exist.</summary>
    public ILocator Rows => Tab.Locator(".space .row:not([hidden])");

    public static async Task<LivePage> OpenAsync(IBrowserContext context, Uri address, string route)
    {
        await context.AddInitScriptAsync(TellBreaches);
        var page = new LivePage(context, await context.NewPageAsync(), address);
        page.Watch();
        await page.Tab.GotoAsync(new Uri(address, $"/#/{route}").ToString());
        await Assertions.Expect(page.Tab.Locator("#link")).ToHaveTextAsync("live", new() { Timeout = Patience.Milliseconds });
        return page;
    }

    /// <summary>Waits until a text is in an element.</summary>
    public static Task ExpectAsync(ILocator where, string text) => Assertions.Expect(where).ToContainTextAsync(text, new() { Timeout = Patience.Milliseconds });

    public static Task ExpectAsync(ILocator where, System.Text.RegularExpressions.Regex text) => Assertions.Expect(where).ToContainTextAsync(text, new() { Timeout = Patience.Milliseconds });

    /// <summary>The row with this in it.</summary>
    public ILocator Row(string text) => Rows.Filter(new() { HasText = text });

    /// <summary>Goes to another view by its address, as a link does.</summary>
    public Task GoAsync(string route) => Tab.EvaluateAsync("route => location.hash = `#/${route}`", route);

    /// <summary>Nothing happened that must not.</summary>
    public async Task AssertCleanAsync()
    {
        string[] breaches = await Tab.EvaluateAsync<string[]>("window.breaches");
        Assert.True(_faults.IsEmpty && breaches.Length == 0, string.Join('\n', [.. _faults, .. breaches]));
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private void Watch()
    {
        Tab.Console += (_, message) =>
        {
            if (message.Type == "error") _faults.Enqueue($"console: {message.Text}");
        };
        Tab.PageError += (_, error) => _faults.Enqueue($"error: {error}");
        Tab.Dialog += (_, dialog) =>
        {
            _faults.Enqueue($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        Tab.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            _paths.Enqueue(url.AbsolutePath);
            bool isOurs = url.Scheme == "data" || (url.Authority == _address.Authority && (url.AbsolutePath == "/" || url.AbsolutePath.StartsWith("/page/", StringComparison.Ordinal) || url.AbsolutePath.StartsWith("/api/v1/", StringComparison.Ordinal)));
            if (!isOurs) _faults.Enqueue($"request: {request.Url}");
        };
    }
}
