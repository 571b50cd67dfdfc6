using System.Security.Cryptography.X509Certificates;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Sessions;

namespace KeepAlive.SystemTests.Tls;

/// <summary>
/// Sessions inside TLS, silent for 24 s behind a middlebox that forgets after 8 s: lost without us and unprobed, held by probes that the
/// gateway puts in where it ends the one TLS and begins the other. Kernel keepalive is off for WebSockets; Redis ends what is idle for 4 s, which it does not prevent.
/// </summary>
public sealed class TlsSessionTests : IDisposable
{
    private const int RedisPort = 6380;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    private readonly Authority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Rediss_is_held()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        (string certificate, string key) = _authority.Issue();
        string folder = Path.GetDirectoryName(Requires.Server("redis-tools", "usr/bin/redis-check-rdb"))!, program = work.File("redis-server");
        File.CreateSymbolicLink(program, Path.Combine(folder, "redis-check-rdb")); // one program, whose name says what it is to be
        await using ChildProcess server = await lab.Server.StartAsync(
            [program, "--port", "0", "--tls-port", $"{RedisPort}", "--bind", $"{lab.Server.Address}", "--save", "", "--protected-mode", "no", "--timeout", "4",
                "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", _authority.RootFile, "--tls-auth-clients", "no"], folder: work.Path);
        await lab.Server.ListensAsync(RedisPort, server);
        await using GatewayProcess probed = await StartAsync(lab, RedisPort, "redis", "3:3:2", "2:3:2"), idle = await StartAsync(lab, RedisPort, "redis", "3:3:2", "off"),
            inside = await StartAsync(lab, RedisPort, "redis", "3:3:2", "2:3:2", ["--tls-downstream", certificate, key]);

        string[] tls = ["--tls", "--cacert", _authority.RootFile, "--sni", Authority.ServerName];
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{inside.Transcript}",
            ("alone", RedisAsync(lab, folder, $"{lab.Server.Address}", RedisPort, tls), "lost"),
            ("unprobed", RedisAsync(lab, folder, "127.0.0.1", idle.Port), "lost"),
            ("a plain client", RedisAsync(lab, folder, "127.0.0.1", probed.Port), "kept"),
            ("a client of TLS", RedisAsync(lab, folder, "127.0.0.1", inside.Port, tls), "kept"));
        Assert.True(probed.Count("probe-answered") >= 8 && inside.Count("probe-answered") >= 8, $"{probed.Transcript}\n{inside.Transcript}");
    }

    [Fact]
    public async Task Wss_is_held()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        (string certificate, string key) = _authority.Issue();
        await using WebServer server = await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)), https: https =>
        {
            https.ServerCertificate = X509Certificate2.CreateFromPemFile(certificate, key);
            https.ServerCertificateChain = [];
            https.ServerCertificateChain.ImportFromPemFile(certificate);
        });
        await using GatewayProcess probed = await StartAsync(lab, server.Port, "websocket", "off", "2:3:2"), idle = await StartAsync(lab, server.Port, "websocket", "off", "off"),
            inside = await StartAsync(lab, server.Port, "websocket", "off", "2:3:2", ["--tls-downstream", certificate, key]);
        await Outcomes.AssertAsync(() => $"{probed.Transcript}\n{inside.Transcript}",
            ("alone", WebSocketSessionTests.OutcomeAsync(lab, $"{lab.Server.Address}:{server.Port}", _authority.RootFile), "lost"),
            ("unprobed", WebSocketSessionTests.OutcomeAsync(lab, $"127.0.0.1:{idle.Port}"), "lost"),
            ("a plain client", WebSocketSessionTests.OutcomeAsync(lab, $"127.0.0.1:{probed.Port}"), "kept"),
            ("a client of TLS", WebSocketSessionTests.OutcomeAsync(lab, $"127.0.0.1:{inside.Port}", _authority.RootFile), "kept"));
    }

    private Task<GatewayProcess> StartAsync(NetworkLab lab, int port, string protocol, string tcp, string probe, params string[] more) => GatewayProcess.StartAsync(
        lab.Client, $"{lab.Server.Address}", port, ["--protocol", protocol, "--tcp", tcp, "--probe", probe, "--tls-upstream", "--ca", _authority.RootFile, "--tls-name", Authority.ServerName, .. more]);

    // It makes another connection where one is lost, and does not say so: the server's number of it does.
    private static async Task<string> RedisAsync(NetworkLab lab, string folder, string host, int port, params string[] options)
    {
        string script = $"(echo 'CLIENT ID'; sleep {Silence.TotalSeconds}; echo 'CLIENT ID') | timeout {(Silence + Patience).TotalSeconds} {Path.Combine(folder, "redis-cli")} -h {host} -p {port} {string.Join(' ', options)}";
        await using ChildProcess client = await lab.Client.StartAsync(["sh", "-c", script]);
        await client.WaitForExitAsync(Silence + Patience + Patience);
        return client.Lines is [var first, var second] && first == second ? "kept" : "lost";
    }
}
