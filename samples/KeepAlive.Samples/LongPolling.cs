namespace KeepAlive.Samples;

/// <summary>A request whose answer is long in coming: nothing passes meanwhile but keepalive.</summary>
internal static class LongPolling
{
    public static async Task<string> AskAsync(Uri news, bool keepAlive)
    {
        var handler = new SocketsHttpHandler();
        if (keepAlive) handler.UseTcpKeepAlive("3:3:1");
        using var http = new HttpClient(handler);
        return await http.GetStringAsync(news);
    }
}
