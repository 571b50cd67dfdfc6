using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Fleet;

/// <summary>Who may do everything in an <see cref="EtcdCluster"/>: not by the client that is tested.</summary>
internal sealed class EtcdAdministrator : IDisposable
{
    private readonly HttpClient _http;
    private string? _token;

    public EtcdAdministrator(EtcdClusterOptions options)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (options.Authority is { } authority && options.AsksClients)
        {
            (CertificateFile, KeyFile) = authority.Issue("administrator", usage: Authority.Clients);
            handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile)];
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(CertificateFile);
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create((X509Certificate2)handler.SslOptions.ClientCertificates[0], chain, offline: true);
        }

#pragma warning disable CA5359 // Who listens there is known: the test has started it.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        if (options.Inside is { } space)
        {
            handler.ConnectCallback = async (context, cancel) =>
            {
                Socket socket = await space.InsideAsync(() => new Socket(SocketType.Stream, ProtocolType.Tcp));
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
    }

    /// <summary>Where members ask for one; else null.</summary>
    public string? CertificateFile { get; }

    /// <summary>Its key.</summary>
    public string? KeyFile { get; }

    /// <summary>root's, once there are users.</summary>
    public string? RootPassword { get; set; }

    /// <summary>Whether a member says of itself that it leads; false for one that does not answer.</summary>
    public async Task<bool> IsLeaderAsync(Uri endpoint, CancellationToken cancel)
    {
        try
        {
            JsonNode status = await SendAsync(endpoint, "/v3/maintenance/status", [], cancel);
            return status["leader"] is { } leader && leader.ToString() == status["header"]!["member_id"]!.ToString();
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <exception cref="InvalidOperationException">etcd would not.</exception>
    public async Task<JsonNode> PostAsync(Uri endpoint, string path, JsonObject body, CancellationToken cancel)
    {
        if (RootPassword is { } password)
        {
            // Anew for each: a member that was killed has forgotten its tokens.
            _token = null;
            _token = (await SendAsync(endpoint, "/v3/auth/authenticate", new JsonObject { ["name"] = "root", ["password"] = password }, cancel))["token"]!.ToString();
        }

        return await SendAsync(endpoint, path, body, cancel);
    }

    private async Task<JsonNode> SendAsync(Uri endpoint, string path, JsonObject body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, path)) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        if (_token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue(token);
        using HttpResponseMessage answer = await _http.SendAsync(request, cancel);
        string text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {text}");
    }

    public void Dispose() => _http.Dispose();
}
