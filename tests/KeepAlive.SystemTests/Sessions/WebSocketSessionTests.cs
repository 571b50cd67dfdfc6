using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Tls;

namespace KeepAlive.SystemTests.Sessions;

/// <summary>
/// WebSockets of .NET that ping nobody, silent for 24 s behind a middlebox that forgets after 8 s and, where nginx stands before
/// the server, an idle limit of 5 s: lost without us, held by the gateway's pings. Kernel keepalive is off throughout.
/// </summary>
public sealed class WebSocketSessionTests
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Outlives_the_middlebox_and_the_proxy_through_the_gateway(bool byNginx)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using WebServer server = await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)));
        await using ChildProcess? nginx = byNginx ? await Nginx.StartAsync(lab, work, NginxPort, $"{lab.Server.Address}:{server.Port}") : null;
        int port = byNginx ? NginxPort : server.Port;
        await using GatewayProcess gateway = await GatewayProcess.StartAsync(
            lab.Client, $"{lab.Server.Address}", port, "--protocol", "websocket", "--tcp", "off", "--probe", "2:3:2");
        await using GatewayProcess idle = await GatewayProcess.StartAsync(
            lab.Client, $"{lab.Server.Address}", port, "--protocol", "websocket", "--tcp", "off", "--probe", "off");

        Task<string> alone = OutcomeAsync(lab, $"{lab.Server.Address}:{port}"), unprobed = OutcomeAsync(lab, $"127.0.0.1:{idle.Port}");
        Assert.Equal("kept", await OutcomeAsync(lab, $"127.0.0.1:{gateway.Port}"));
        Assert.Equal(("lost", "lost"), (await alone, await unprobed));
        Assert.True(gateway.Count("probe-answered") >= 10, gateway.Transcript);
        Assert.Equal(0, idle.Count("probe-sent"));
    }

    private const int NginxPort = 8080;

    /// <param name="lab">The client's place.</param>
    /// <param name="at">Where it connects.</param>
    /// <param name="rootFile">For TLS, the root it trusts; null for none.</param>
    internal static async Task<string> OutcomeAsync(NetworkLab lab, string at, string? rootFile = null)
    {
        using var limit = new CancellationTokenSource(Silence + Patience + Patience);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                Socket socket = await lab.Client.InsideAsync(() => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
                await socket.ConnectAsync(IPEndPoint.Parse(at), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        if (rootFile is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(rootFile);
        }

        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var client = new ClientWebSocket();
        client.Options.KeepAliveInterval = TimeSpan.Zero;
        await client.ConnectAsync(new Uri(rootFile is null ? $"ws://{at}/" : $"wss://{Authority.ServerName}/"), invoker, limit.Token);
        Task<string> first = HearAsync(client, limit.Token);
        await client.SendAsync("one"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        Assert.Equal("one", await first);
        try
        {
            Task<string> second = HearAsync(client, limit.Token); // pongs are sent only while somebody reads
            await Task.Delay(Silence, limit.Token);
            await client.SendAsync("two"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
            return await second.WaitAsync(Patience, limit.Token) == "two" ? "kept" : "garbled";
        }
        catch (Exception e) when (e is WebSocketException or TimeoutException or OperationCanceledException)
        {
            return "lost";
        }
    }

    private static async Task<string> HearAsync(ClientWebSocket client, CancellationToken cancel)
    {
        byte[] buffer = new byte[64];
        WebSocketReceiveResult said = await client.ReceiveAsync(buffer, cancel);
        return said.MessageType == WebSocketMessageType.Close ? throw new WebSocketException("closed") : Encoding.UTF8.GetString(buffer, 0, said.Count);
    }
}
