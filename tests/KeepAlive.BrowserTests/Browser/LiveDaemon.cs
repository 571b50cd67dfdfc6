using System.Text.Json;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.BrowserTests.Browser;

/// <summary><c>keepalive up</c> with a page on a port of its own.</summary>
internal sealed class LiveDaemon : IAsyncDisposable
{
    private readonly WorkFolder _work;

    private LiveDaemon(UpProcess up, WorkFolder work, Uri page) => (Up, _work, Page) = (up, work, page);

    public UpProcess Up { get; }

    public Uri Page { get; }

    /// <param name="gateways">Entries of the file.</param>
    /// <param name="inside">On a host of the lab; null for this machine.</param>
    /// <param name="at">The page's address and port; any port where nothing is said.</param>
    public static async Task<LiveDaemon> StartAsync(string gateways = "", NetworkSpace? inside = null, string at = "127.0.0.1:0")
    {
        var work = new WorkFolder();
        UpProcess up = await UpProcess.StartAsync(work, $$"""{ "dashboard": { "listen": "{{at}}" }, "gateways": [ {{gateways}} ] }""", inside,
            environment: new Dictionary<string, string> { ["KEEPALIVE_PATHS"] = work.File("paths.json"), ["KEEPALIVE_PAGE"] = "" });
        JsonElement told = await up.WaitForAsync("page", 1);
        return new LiveDaemon(up, work, new Uri(told.GetProperty("text").GetString()!));
    }

    public async ValueTask DisposeAsync()
    {
        await Up.DisposeAsync();
        _work.Dispose();
    }
}
