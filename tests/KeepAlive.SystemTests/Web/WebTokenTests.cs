using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeepAlive.App.Live;
using KeepAlive.App.Web;
using KeepAlive.Gateway.Tls;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Web;

/// <summary>A page that others can reach: TLS, and a token or a client's certificate. It listens on all addresses and is asked over loopback.</summary>
public sealed class WebTokenTests : IDisposable
{
    private const string Secret = "a secret of many letters";

    private readonly Authority _authority = new();
    private readonly Authority _stranger = new("stranger");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task Nothing_is_told_without_the_token_but_the_page_and_that_it_lives()
    {
        await using WebServer server = await StartAsync(token: Secret);
        using HttpClient client = Client(server);
        foreach (string path in (string[])["/api/v1/overview", "/api/v1/flows", "/api/v1/connections", "/api/v1/stream", "/openapi.json", "/none"])
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(path)).StatusCode);
        foreach (string path in (string[])["/", "/healthz"]) Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Write("/api/v1/policy", "{}"))).StatusCode); // root's own connection, which proves nothing here
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/overview")).StatusCode);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Secret + "x");
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/overview")).StatusCode);
    }

    [Fact]
    public async Task A_browser_that_knew_the_token_has_a_cookie_that_no_script_reads()
    {
        await using WebServer server = await StartAsync(token: Secret);
        using HttpClient client = Client(server);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Write("/login", """{"token":"wrong"}"""))).StatusCode);
        HttpResponseMessage answer = await client.SendAsync(Write("/login", $$"""{"token":"{{Secret}}"}"""));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        string cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.All((string[])["httponly", "samesite=strict", "secure", "path=/"], part => Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(Secret, cookie, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/overview")).StatusCode); // the client keeps it

        // It opens nothing to a page of another site, whose browser would send it along.
        HttpRequestMessage foreign = Write("/api/v1/policy", "{}");
        foreign.Headers.Add("Origin", "https://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(foreign)).StatusCode);
    }

    [Fact]
    public async Task Guessing_is_slow()
    {
        await using WebServer server = await StartAsync(token: Secret);
        using HttpClient client = Client(server);
        for (int i = 0; i < 10; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Write("/login", $$"""{"token":"{{i}}"}"""))).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await client.SendAsync(Write("/login", $$"""{"token":"{{Secret}}"}"""))).StatusCode);
    }

    [Fact]
    public async Task A_certificate_of_the_authority_is_as_good_and_none_of_another_is()
    {
        await using WebServer server = await StartAsync(authorities: _authority.RootFile);
        using HttpClient without = Client(server), with = Client(server, _authority.Issue("operator", usage: Authority.Clients)), server_s = Client(server, _authority.Issue("server")), strange = Client(server, _stranger.Issue("operator", usage: Authority.Clients));
        Assert.Equal(HttpStatusCode.OK, (await without.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await without.GetAsync("/api/v1/overview")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await with.GetAsync("/api/v1/overview")).StatusCode);
        foreach (HttpClient other in (HttpClient[])[server_s, strange])
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => other.GetAsync("/api/v1/overview"));
    }

    [Fact]
    public async Task Plain_HTTP_is_no_way_in()
    {
        await using WebServer server = await StartAsync(token: Secret);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync($"http://127.0.0.1:{server.Address.Port}/healthz"));
    }

    private async Task<WebServer> StartAsync(string? token = null, string? authorities = null)
    {
        (string certificate, string key) = _authority.Issue("localhost");
        X509Certificate2Collection chain = TlsFiles.Certificates("--tls", certificate);
        var options = new WebOptions
        {
            Listen = new IPEndPoint(IPAddress.Any, 0),
            Certificate = TlsFiles.WithKey("--tls", chain[0], certificate, key, out _),
            Chain = chain,
            Token = token is null ? null : Encoding.UTF8.GetBytes(token),
            ClientAuthorities = authorities is null ? null : TlsFiles.Certificates("--client-ca", authorities),
        };
        return await WebServer.StartAsync(options, new LiveState(), null);
    }

    private HttpClient Client(WebServer server, (string Certificate, string Key)? own = null)
    {
        var handler = new SocketsHttpHandler { CookieContainer = new CookieContainer() };
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(_authority.RootFile);
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        if (own is { } files)
        {
            X509Certificate2Collection chain = TlsFiles.Certificates("own", files.Certificate);
            X509Certificate2 certificate = TlsFiles.WithKey("own", chain[0], files.Certificate, files.Key, out _);
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }

        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{server.Address.Port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    private static HttpRequestMessage Write(string path, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add(WebDoor.WriteHeader, WebDoor.WriteValue);
        return request;
    }
}
