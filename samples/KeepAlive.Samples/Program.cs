using KeepAlive.Samples;

// What a sample waits for comes later than a middlebox may remember; what has not come by then is lost.
TimeSpan patience = TimeSpan.FromSeconds(20);

string host = args.ElementAtOrDefault(1) ?? "localhost";
bool keepAlive = args.ElementAtOrDefault(2) != "off";
int port = int.Parse(args.ElementAtOrDefault(3) ?? "0", System.Globalization.CultureInfo.InvariantCulture);
Task<string> news = args.FirstOrDefault() switch
{
    "tcp" => RawTcp.AskAsync(host, keepAlive),
    "connect" => Connecting.AskAsync(host, keepAlive),
    "http" => LongPolling.AskAsync(new Uri($"http://{host}:{(port == 0 ? 8080 : port)}/poll"), keepAlive),
    "websocket" => WebSockets.AskAsync(new Uri($"ws://{host}:8080/ws"), keepAlive),
    "own" => OwnProtocol.AskAsync(host, keepAlive),
    "ftp" => FtpSession.AskAsync(host, keepAlive, patience * 0.6),
    "server" => KestrelServer.RunAsync(TimeSpan.FromSeconds(int.Parse(host, System.Globalization.CultureInfo.InvariantCulture))),
    _ => throw new ArgumentException("tcp, connect, http, websocket, own or ftp, then HOST and on or off; or server SECONDS"),
};
try
{
    Console.WriteLine(await (args[0] == "server" ? news : news.WaitAsync(patience)));
    return 0;
}
catch (Exception e) when (e is TimeoutException or IOException or OperationCanceledException)
{
    Console.WriteLine($"lost: {e.Message}");
    return 1;
}
