using System.Net;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Web;

/// <summary>Who may ask the page what: on loopback, without a token.</summary>
public sealed class WebDoorTests
{
    private const string Dry = """{ "port": 1, "spec": "60:4:15", "isDry": true }""";

    [Fact]
    public async Task A_name_that_is_not_ours_is_told_so_whatever_is_asked()
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work, """{ "dashboard": { "hosts": ["keepalive.lab.example"] } }""");
        foreach (string path in (string[])["/", "/healthz", "/api/v1/overview", "/api/v1/stream", "/none"])
            Assert.Equal(HttpStatusCode.MisdirectedRequest, (await page.SendAsync(HttpMethod.Get, path, null, ("Host", "evil.example"))).StatusCode);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await page.SendAsync(HttpMethod.Get, "/", null, ("Host", "127.0.0.1.evil.example"))).StatusCode);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await page.SendAsync(HttpMethod.Get, "/", null, ("Host", "192.0.2.1"))).StatusCode);
        foreach (string host in (string[])["localhost", "127.0.0.1", "LOCALHOST:1", "[::1]:99", "keepalive.lab.example:443"])
            Assert.Equal(HttpStatusCode.OK, (await page.SendAsync(HttpMethod.Get, "/", null, ("Host", host))).StatusCode);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, "X-KeepAlive: page", "Origin: http://evil.example")]
    [InlineData(HttpStatusCode.Forbidden, "X-KeepAlive: page", "Origin: null")]
    [InlineData(HttpStatusCode.Forbidden, "X-KeepAlive: page", "Sec-Fetch-Site: cross-site")]
    [InlineData(HttpStatusCode.Forbidden, "X-KeepAlive: page", "Sec-Fetch-Site: same-site")]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.Forbidden, "X-KeepAlive: other")]
    [InlineData(HttpStatusCode.UnsupportedMediaType, "X-KeepAlive: page", "Content-Type: text/plain")]
    [InlineData(HttpStatusCode.NotFound, "X-KeepAlive: page")] // let in: there is no such connection
    [InlineData(HttpStatusCode.NotFound, "X-KeepAlive: page", "Sec-Fetch-Site: same-origin", "Origin: http://localhost", "Host: localhost")]
    public async Task Whoever_changes_something_is_the_page_itself_or_no_browser(HttpStatusCode expected, params string[] headers)
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        (string, string)[] all = [.. headers.Select(h => h.Split(": ")).Select(h => (h[0], h[1]))];
        Assert.Equal(expected, (await page.SendAsync(HttpMethod.Post, "/api/v1/policy", Dry, all)).StatusCode);
    }

    [Fact]
    public async Task Another_user_may_read_and_not_write()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: to become somebody else");
        Requires.Programs("setpriv", "curl");
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        Task<string> AsNobodyAsync(params string[] arguments) => ChildProcess.RunAsync([.. OrdinaryUser.Prefix, "curl", "-s", "-w", " %{http_code}", "--max-time", "20", .. arguments]);
        string read = await AsNobodyAsync($"{page.Address}api/v1/overview");
        Assert.EndsWith(" 200", read, StringComparison.Ordinal);
        Assert.Contains("\"canWrite\":false", read, StringComparison.Ordinal);
        string written = await AsNobodyAsync("-H", "X-KeepAlive: page", "-H", "Content-Type: application/json", "-d", Dry, $"{page.Address}api/v1/policy");
        Assert.EndsWith(" 403", written, StringComparison.Ordinal);
        Assert.Contains($"you are user {OrdinaryUser.Id}", written, StringComparison.Ordinal);
        Assert.True((await page.GetAsync("/api/v1/overview")).GetProperty("canWrite").GetBoolean()); // the user who runs it
    }

    [Fact]
    public async Task Every_answer_says_what_a_browser_is_not_to_do()
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        foreach ((HttpMethod method, string path) in ((HttpMethod, string)[])[(HttpMethod.Get, "/"), (HttpMethod.Get, "/api/v1/flows"), (HttpMethod.Get, "/none"), (HttpMethod.Post, "/api/v1/policy"), (HttpMethod.Get, "/healthz")])
        {
            HttpResponseMessage answer = await page.SendAsync(method, path);
            string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
            Assert.False(answer.Headers.Contains("Server"), $"{path} tells what serves it");
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"), $"{path} lets other sites read");
        }
    }

    [Fact]
    public async Task What_is_sent_is_bounded_and_whatever_it_is_gets_an_answer()
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        foreach (string body in (string[])["", "[]", "{", "null", """{"spec":{}}""", """{"spec":"60:4:15","pid":-1}""", new string('[', 1000), $$"""{"spec":"{{new string('x', 100_000)}}"}"""])
            Assert.InRange((int)(await page.WriteAsync(HttpMethod.Post, "/api/v1/policy", body)).StatusCode, 400, 499);
        foreach (string path in (string[])["/api/v1/flows/99999999999999999999", "/api/v1/flows?limit=0", "/api/v1/stream?topics=none", "/page/../../etc/passwd", "/page/%2e%2e/%2e%2e/etc/passwd", "/api/v1/explain"])
            Assert.InRange((int)(await page.SendAsync(HttpMethod.Get, path)).StatusCode, 400, 499);
        Assert.Equal(HttpStatusCode.OK, (await page.SendAsync(HttpMethod.Get, "/healthz")).StatusCode);
        Assert.Equal(0, await page.Up.StopAsync());
    }

    [Fact]
    public async Task An_asked_for_address_in_use_ends_it_and_the_usual_one_is_only_told_of()
    {
        using WorkFolder work = new(), other = new();
        await using WebPage page = await WebPage.StartAsync(work);
        await using ChildProcess second = await ChildProcess.StartAsync([UpProcess.Program, "up", "--json", "--page", $"127.0.0.1:{page.Address.Port}"], environment: new Dictionary<string, string> { ["HOME"] = other.Path });
        await second.WaitForExitAsync(UpProcess.Patience);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains($"the page cannot be at 127.0.0.1:{page.Address.Port}", second.Transcript, StringComparison.Ordinal);
    }
}
