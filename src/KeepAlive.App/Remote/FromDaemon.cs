using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;

namespace KeepAlive.App.Remote;

/// <summary>Asks a daemon's page for what a command would otherwise read here.</summary>
/// <param name="server">Its address.</param>
/// <param name="token">What it asks for beyond loopback; null for nothing.</param>
internal sealed class FromDaemon(Uri server, string? token) : IDisposable
{
    private const long TokenBytesMax = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly Option<Uri?> FromOption = CommandLine.Option<Uri?>("--from", "Of the machine whose 'keepalive up' has its page there: http://127.0.0.1:7200", UrlText);
    public static readonly Option<string?> TokenOption = new("--token-file") { Description = "With --from: a file with the page's token", HelpName = "FILE" };

    // Certificates are verified, as by default; no proxy is asked to reach the own machine.
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = server, Timeout = Patience };

    /// <summary>What the options say; null where they do not name a daemon.</summary>
    /// <exception cref="FromDaemonException">The token cannot be read.</exception>
    public static FromDaemon? Of(ParseResult parsed, Uri? fallback = null)
    {
        string? file = parsed.GetValue(TokenOption);
        if ((parsed.GetValue(FromOption) ?? fallback) is not { } server) return file is null ? null : throw new FromDaemonException("--token-file is for --from");
        return new FromDaemon(server, file is null ? null : ReadToken(file));
    }

    /// <summary>An answer of the API.</summary>
    /// <exception cref="FromDaemonException">There is none.</exception>
    public async Task<JsonDocument> GetAsync(string path)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage answer = await _client.SendAsync(request).ConfigureAwait(false);
            string text = await answer.Content.ReadAsStringAsync().ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode) throw new FromDaemonException($"{server}: {(int)answer.StatusCode}: {Fault(text)}");
            return JsonDocument.Parse(text);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException)
        {
            throw new FromDaemonException($"{server}: {e.Message}{(e is HttpRequestException ? ": does 'keepalive up' run there?" : "")}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static string Fault(string text)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(text);
            if (answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("fault", out JsonElement fault)) return Texts.Printable(fault.ToString());
        }
        catch (JsonException)
        {
            // Plain text, or another's.
        }

        return Texts.Printable(text.Length > 200 ? text[..200] : text);
    }

    private static string ReadToken(string file)
    {
        try
        {
            if (new FileInfo(file).Length > TokenBytesMax) throw new FromDaemonException($"--token-file: '{file}' is longer than {TokenBytesMax} bytes: give a file with one line");
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FromDaemonException($"--token-file: cannot read '{file}': {e.Message}");
        }
    }

    private static bool UrlText(string text, out Uri? value, out string? fault)
    {
        bool isGood = Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri is { UserInfo.Length: 0, PathAndQuery: "/" };
        value = isGood ? uri : null;
        fault = isGood ? null : "that is no address of a page such as http://127.0.0.1:7200, without anything behind it";
        return isGood;
    }
}

/// <summary>A daemon cannot be asked; the message says why.</summary>
internal sealed class FromDaemonException(string message) : Exception(message);
