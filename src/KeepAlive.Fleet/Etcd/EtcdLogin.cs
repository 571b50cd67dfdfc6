using System.Text.Json;

namespace KeepAlive.Fleet.Etcd;

/// <summary>
/// A user's token: fetched when it is first needed, kept in memory only. All members know it, each until it has not seen it for a while
/// (<c>--auth-token-ttl</c>) or is restarted.
/// </summary>
internal sealed class EtcdLogin(EtcdOptions options, EtcdTransport transport) : IDisposable
{
    private const int TokenMax = 16 << 10; // of one header; a JWT has some hundred

    private readonly SemaphoreSlim _turn = new(1);
    private volatile string? _token;

    /// <summary>A token; null where nobody asks.</summary>
    /// <param name="endpoint">Where it is fetched, if it has to be.</param>
    /// <param name="refused">One that was not taken, so that there has to be another.</param>
    /// <param name="cancel">The caller gives up.</param>
    /// <exception cref="EtcdCallException">etcd gave none.</exception>
    public async ValueTask<string?> TokenAsync(Uri endpoint, string? refused, CancellationToken cancel)
    {
        if (options.User is not { } user) return null;
        if (_token is { } token && token != refused) return token;
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_token is { } others && others != refused) return others;
            byte[] request = JsonSerializer.SerializeToUtf8Bytes(new LoginRequest(user, Password()), EtcdJson.Default.LoginRequest);
            ReadOnlyMemory<byte> answer = await transport.CallAsync(endpoint, "/v3/auth/authenticate", request, null, isSecret: true, cancel).ConfigureAwait(false);
            string? fetched = EtcdAnswers.Read(answer.Span, EtcdJson.Default.LoginAnswer).Token;
            return _token = fetched is { Length: > 0 and <= TokenMax } && fetched.All(c => c is > ' ' and <= '~') ? fetched : throw EtcdAnswers.NotEtcd();
        }
        catch (EtcdCallException e) when (e.Outcome == CallOutcome.Unknown)
        {
            throw new EtcdCallException(e.Fault, CallOutcome.NotDone, e.Message, e); // what the token is wanted for was not sent
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private string Password()
    {
        try
        {
            return options.Password?.Invoke() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EtcdCallException(EtcdFault.Denied, CallOutcome.Refused, $"the password of user '{options.User}' cannot be read: {e.Message}", e);
        }
    }
}
