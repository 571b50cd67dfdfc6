using System.Collections.Concurrent;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Fleet.Etcd;

/// <summary>POST to one endpoint, whose answer is checked for a success, and for its length.</summary>
/// <remarks>
/// <para>HTTP/1.1 always: over TLS etcd serves HTTP/2 by a scheduler that lets a watch starve beside other answers on its connection (etcd
/// issue 15402, of 3.4 to 3.6); in plain text it takes HTTP/2 for gRPC; and a connection that is not shared can be given up with its call.</para>
/// <para>Every call says <c>hasleader</c>, which grpc-gateway hands on as gRPC's metadata: a node without a leader then says so at once instead of
/// after its own 6 s, and ends a watch after three election timeouts instead of being silent for ever (etcd's <c>interceptor.go</c>; tried with 3.4.23).</para>
/// </remarks>
internal sealed class EtcdTransport : IDisposable
{
    /// <summary>Of one answer: some ten thousand machines' digests.</summary>
    public const int AnswerMax = 64 << 20;

    // A node that vanishes is found in 11 s, a silent watch's too; with data under way the same (the user timeout follows).
    private static readonly KeepAliveSpec KeepAlive = KeepAliveSpec.Of(new KeepAlivePolicy(TimeSpan.FromSeconds(5), 3, TimeSpan.FromSeconds(2)));

    // Who has never answered may be spoken to in the wrong way; who has is not suspected of it.
    private readonly ConcurrentDictionary<Uri, bool> _known = new();
    private readonly EtcdOptions _options;
    private readonly HttpMessageInvoker _http;

    /// <summary>Over sockets.</summary>
    public EtcdTransport(EtcdOptions options)
        : this(options, Handler(options))
    {
    }

    /// <summary>Over whatever answers.</summary>
    internal EtcdTransport(EtcdOptions options, HttpMessageHandler handler) => (_options, _http) = (options, new HttpMessageInvoker(handler));

    /// <summary>A call: its whole answer.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="path">What.</param>
    /// <param name="json">The request.</param>
    /// <param name="token">Who asks; null: nobody.</param>
    /// <param name="isSecret">Whether the request may not be told: what refuses it could echo it.</param>
    /// <param name="cancel">The caller gives up.</param>
    /// <exception cref="EtcdCallException">It failed.</exception>
    public async Task<ReadOnlyMemory<byte>> CallAsync(Uri endpoint, string path, byte[] json, string? token, bool isSecret, CancellationToken cancel)
    {
        using var body = new EtcdBody(json);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.CallTimeout);
        try
        {
            using HttpResponseMessage answer = await SendAsync(endpoint, path, body, token, limit.Token).ConfigureAwait(false);
            ReadOnlyMemory<byte> read = await EtcdBody.ReadAsync(answer.Content, AnswerMax, limit.Token).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? read : throw EtcdRefusal.Of((int)answer.StatusCode, read.Span, _options.User, !isSecret);
        }
        catch (Exception e) when (IsFailure(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw Explain(e, endpoint, body.IsSent);
        }
    }

    /// <summary>A call whose answer goes on: its head and its first line have to come in time.</summary>
    /// <exception cref="EtcdCallException">It failed.</exception>
    public async Task<EtcdStream> OpenAsync(Uri endpoint, string path, byte[] json, string? token, CancellationToken cancel)
    {
        var body = new EtcdBody(json);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_options.CallTimeout);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await SendAsync(endpoint, path, body, token, limit.Token).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
                throw EtcdRefusal.Of((int)answer.StatusCode, (await EtcdBody.ReadAsync(answer.Content, AnswerMax, limit.Token).ConfigureAwait(false)).Span, _options.User);
            var stream = new EtcdStream(this, endpoint, answer, await answer.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false));
            await stream.BeginAsync(limit.Token).ConfigureAwait(false);
            return stream;
        }
        catch (Exception e) when (IsFailure(e))
        {
            answer?.Dispose();
            cancel.ThrowIfCancellationRequested();
            throw Explain(e, endpoint, body.IsSent);
        }
    }

    /// <summary>Why sending or reading failed.</summary>
    internal EtcdCallException Explain(Exception fault, Uri endpoint, bool isSent)
    {
        CallOutcome outcome = isSent ? CallOutcome.Unknown : CallOutcome.NotDone;
        for (Exception? e = fault; e is not null; e = e.InnerException)
        {
            if (e is EtcdCallException told) return told;
            if (e is DialException dial) return new EtcdCallException(EtcdFault.Unreachable, CallOutcome.NotDone, Describe(dial), fault);
        }

        if (endpoint.Scheme == Uri.UriSchemeHttps && EtcdTlsFault.Describe(fault, _options) is { } tls) return tls;
        if (fault is OperationCanceledException or TimeoutException)
            return new EtcdCallException(EtcdFault.Unreachable, outcome, $"no answer for {Duration.Format(_options.CallTimeout)}", fault);
        HttpRequestError? kind = (fault as HttpRequestException)?.HttpRequestError ?? (fault as HttpIOException)?.HttpRequestError;
        return kind is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded
            ? new EtcdCallException(EtcdFault.NotEtcd, outcome, "what answers is no HTTP: is it etcd's client port, and is TLS spoken there (https://)?", fault)
            : new EtcdCallException(EtcdFault.Unreachable, outcome, endpoint.Scheme == Uri.UriSchemeHttp && !_known.ContainsKey(endpoint)
                ? "it closed the connection without an answer: if TLS is spoken there, write https:// in place of http://" : "it closed the connection", fault);
    }

    /// <summary>What a call ends with that is not the caller's own doing. HTTP's own exceptions are these; what else the wire may bring about is none of it.</summary>
    internal static bool IsFailure(Exception e) => e is EtcdCallException or HttpRequestException or IOException or OperationCanceledException or SocketException or ObjectDisposedException;

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri endpoint, string path, EtcdBody body, string? token, CancellationToken cancel)
    {
        var address = new Uri($"{EtcdCallException.NameOf(endpoint)}{path}"); // without user information
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = body };
        request.Headers.TryAddWithoutValidation("Grpc-Metadata-hasleader", "true");
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        HttpResponseMessage answer = await _http.SendAsync(request, cancel).ConfigureAwait(false);
        _known.TryAdd(endpoint, true);
        return answer;
    }

    private static string Describe(DialException dial) => dial.Attempts.Count > 0 ? string.Join(", ", dial.Attempts.Select(a => a.Text).Distinct()) : dial.Message;

    /// <summary>What sends by sockets.</summary>
    internal static SocketsHttpHandler Handler(EtcdOptions options)
    {
        var dialer = new Dialer(options.CallTimeout);
        var tls = new EtcdTls(options);
        return new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ResponseDrainTimeout = TimeSpan.Zero, // a watch that is given up has no end to wait for
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // then a name may mean another address, and a file another certificate
            ConnectTimeout = options.CallTimeout,
            ConnectCallback = async (context, cancel) =>
            {
                Socket socket = await dialer.DialAsync(new HostPort(context.DnsEndPoint.Host, context.DnsEndPoint.Port), cancel).ConfigureAwait(false);
                var stream = new NetworkStream(socket, ownsSocket: true);
                try
                {
                    KernelKeepAlive.Apply(socket, KeepAlive);
                    bool isTls = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
                    return isTls ? await tls.ShakeAsync(stream, context.DnsEndPoint.Host, cancel).ConfigureAwait(false) : stream;
                }
                catch
                {
                    await stream.DisposeAsync().ConfigureAwait(false);
                    throw;
                }
            },
        };
    }
}
