using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Web;

/// <summary><c>keepalive up</c> with its page on a port of the system's choice, and somebody who asks it.</summary>
internal sealed class WebPage : IAsyncDisposable
{
    private readonly HttpClient _client;

    private WebPage(UpProcess up, Uri address)
    {
        Up = up;
        Address = address;
        _client = new HttpClient { BaseAddress = address, Timeout = UpProcess.Patience };
    }

    public UpProcess Up { get; }

    public Uri Address { get; }

    /// <param name="work">Where its file is written.</param>
    /// <param name="config">What it is to do.</param>
    public static async Task<WebPage> StartAsync(WorkFolder work, string config = "{}")
    {
        UpProcess up = await UpProcess.StartAsync(work, config, environment: new Dictionary<string, string>
        {
            ["KEEPALIVE_PAGE"] = "127.0.0.1:0",
            ["KEEPALIVE_PATHS"] = work.File("paths.json"),
        });
        return new WebPage(up, new Uri((await up.WaitForAsync("page", 1)).GetProperty("text").GetString()!));
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
        {
            if (name == "Host") request.Headers.Host = value;
            else if (name == "Content-Type") request.Content!.Headers.ContentType = new(value);
            else request.Headers.Add(name, value);
        }

        return _client.SendAsync(request);
    }

    /// <summary>As the page itself writes.</summary>
    public Task<HttpResponseMessage> WriteAsync(HttpMethod method, string path, string? body = null) => SendAsync(method, path, body, ("X-KeepAlive", "page"));

    public async Task<JsonElement> GetAsync(string path) => await _client.GetFromJsonAsync<JsonElement>(path);

    /// <summary>Listens to topics until a message is found; each is its event and its data.</summary>
    public async Task<(string Event, JsonElement Data)> HearAsync(string topics, Func<string, JsonElement, bool> isFound)
    {
        using var patience = new CancellationTokenSource(UpProcess.Patience);
        using Stream stream = await _client.GetStreamAsync($"/api/v1/stream?topics={topics}", patience.Token);
        using var reader = new StreamReader(stream);
        for (string name = ""; await reader.ReadLineAsync(patience.Token) is { } line;)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line["event: ".Length..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal) && JsonDocument.Parse(line["data: ".Length..]).RootElement is var data && isFound(name, data)) return (name, data);
        }

        throw new InvalidOperationException("the stream has ended");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Up.DisposeAsync();
    }
}
