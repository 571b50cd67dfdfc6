using System.Security.Cryptography.X509Certificates;
using KeepAlive.SystemTests.Ftp;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Proxy;
using KeepAlive.SystemTests.Sessions;
using KeepAlive.SystemTests.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KeepAlive.SystemTests.Ping;

/// <summary>
/// <c>keepalive ping</c> of real servers: alive with exit code 0; told as hung with exit code 1 when they are frozen between two probes or
/// before the session began, though their kernel still acknowledges.
/// </summary>
public sealed class PingServerTests : IDisposable
{
    private const string Good = PingProcess.GoodFate;
    private const int ProxyPort = 8080;

    private readonly Authority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Alive_and_hung_are_told_apart()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using WorkFolder redisWork = new(), slapdWork = new(), mySqlWork = new(), mqttWork = new(), nginxWork = new();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, redisWork, "--requirepass", "secret"), slapd = await LdapSessionTests.StartSlapdAsync(lab, slapdWork);
        await using ChildProcess mySql = await MySqlSessionTests.StartServerAsync(lab, mySqlWork), mqtt = await MqttSessionTests.StartBrokerAsync(lab, mqttWork);
        await using PostgreSqlServer postgres = await PostgreSqlServer.StartAsync(lab);
        await using RealFtpServer vsftpd = await RealFtpServer.StartAsync(lab, FtpServerName.Vsftpd);
        await using WebServer web = await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)));
        await using ChildProcess nginx = await Nginx.StartAsync(lab, nginxWork, ProxyPort, $"{lab.Server.Address}:{web.Port}");
        string host = $"{lab.Server.Address}";
        await Outcomes.AssertAsync(() => "",
            ("redis", PingProcess.FateAsync(lab, $"redis://{host}:{RedisSessionTests.Port}", "secret", redis.Id), Good),
            ("ldap, bound", PingProcess.FateAsync(lab, $"ldap://cn=admin,dc=ka,dc=test@{host}:{LdapSessionTests.Port}", "secret", slapd.Id), Good),
            ("mysql", PingProcess.FateAsync(lab, $"mysql://{host}:{MySqlSessionTests.Port}", null, mySql.Id), Good),
            ("mqtt", PingProcess.FateAsync(lab, $"mqtt://{host}:{MqttSessionTests.Port}", null, mqtt.Id), Good),
            ("postgres", PingProcess.FateAsync(lab, $"postgres://{PostgreSqlServer.User}@{host}:{PostgreSqlServer.Port}/postgres", null, postgres.Id), Good),
            ("ftp, vsftpd", PingProcess.FateAsync(lab, $"ftp://{host}:{RealFtpServer.Port}", null, vsftpd.Id), Good),
            ("http, nginx", PingProcess.FateAsync(lab, $"http://{host}:{ProxyPort}", null, nginx.Id), Good));
    }

    [Fact]
    public async Task Alive_and_hung_are_told_apart_of_servers_of_lines()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using RealFtpServer proftpd = await RealFtpServer.StartAsync(lab, FtpServerName.ProFtpd);
        await using WebServer web = await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)));
        await using ChildProcess nginx = await Nginx.StartAsync(lab, work, ProxyPort, $"{lab.Server.Address}:{web.Port}");
        string host = $"{lab.Server.Address}";
        await Outcomes.AssertAsync(() => "",
            ("imap", LineFateAsync(lab, "imap", LineServers.Imap, "u", "secret"), Good),
            ("pop3", LineFateAsync(lab, "pop3", LineServers.Pop3, "u", "secret"), Good),
            ("smtp", LineFateAsync(lab, "smtp", LineServers.Smtp), Good),
            ("irc", LineFateAsync(lab, "irc", LineServers.Irc), Good),
            ("nats", LineFateAsync(lab, "nats", LineServers.Nats), Good),
            ("ftp, ProFTPD", PingProcess.FateAsync(lab, $"ftp://{proftpd.User}@{host}:{RealFtpServer.Port}", proftpd.Password, proftpd.Id), Good),
            ("ftp, a wrong password", PingProcess.OutcomeAsync(lab, $"ftp://{proftpd.User}@{host}:{RealFtpServer.Port}", "wrong"), "alive 0"),
            ("http, Kestrel", PingProcess.OutcomeAsync(lab, $"http://{host}:{web.Port}/page", null, "--count", "2"), "alive 0"),
            ("ws, Kestrel", PingProcess.OutcomeAsync(lab, $"ws://{host}:{web.Port}", null, "--count", "2"), "alive 0"),
            ("ws, nginx", PingProcess.FateAsync(lab, $"ws://{host}:{ProxyPort}", null, nginx.Id), Good));
    }

    [Fact]
    public async Task Alive_and_hung_are_told_apart_behind_a_proxy_too()
    {
        const int WebSocketPort = 9001, Proxied = 7001, EtcdPort = 2379;
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using WorkFolder redisWork = new(), mqttWork = new();
        string host = $"{lab.Server.Address}";
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, redisWork);
        await using ChildProcess haproxy = await HAProxyTests.StartAsync(lab.Server, redisWork.File("haproxy"), $"{host}:{Proxied}", $"{host}:{RedisSessionTests.Port}");
        await using RealFtpServer pure = await RealFtpServer.StartAsync(lab, FtpServerName.PureFtpd);
        await using ChildProcess mqtt = await MqttSessionTests.StartBrokerAsync(lab, mqttWork, $"listener {WebSocketPort} {host}", "protocol websockets");
        await using ChildProcess etcd = await lab.Server.StartAsync([Requires.Server("etcd-server", "usr/bin/etcd"), "--data-dir", mqttWork.Folder("etcd"), "--unsafe-no-fsync",
            "--listen-client-urls", $"http://{host}:{EtcdPort}", "--advertise-client-urls", $"http://{host}:{EtcdPort}", "--listen-peer-urls", $"http://{host}:{EtcdPort + 1}"]);
        await lab.Server.ListensAsync(EtcdPort, etcd);
        await Outcomes.AssertAsync(() => mqtt.Transcript,
            ("ftp, Pure-FTPd", PingProcess.FateAsync(lab, $"ftp://{pure.User}@{host}:{RealFtpServer.Port}", pure.Password, pure.Id), Good),
            ("http, etcd", PingProcess.FateAsync(lab, $"http://{host}:{EtcdPort}/health", null, etcd.Id), Good),
            ("ws, mosquitto", PingProcess.FateAsync(lab, $"ws://{host}:{WebSocketPort}/mqtt", null, mqtt.Id), Good),
            ("redis, HAProxy", ProxiedAsync(haproxy.Id, redis.Id), $"{Good}; behind it {Good}"));

        async Task<string> ProxiedAsync(int proxy, int behind)
        {
            string itself = await PingProcess.FateAsync(lab, $"redis://{host}:{Proxied}", null, proxy);
            return $"{itself}; behind it {await PingProcess.FateAsync(lab, $"redis://{host}:{Proxied}", null, behind)}";
        }
    }

    [Fact]
    public async Task Inside_TLS_too()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        (string certificate, string key) = _authority.Issue();
        await using ChildProcess redis = await RedisSessionTests.StartServerAsync(lab, work,
            "--tls-port", "6390", "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", _authority.RootFile, "--tls-auth-clients", "no");
        await using RealFtpServer vsftpd = await RealFtpServer.StartAsync(lab, FtpServerName.VsftpdTls);
        await using WebServer web = await WebServer.StartAsync(await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address)), HttpProtocols.Http1AndHttp2, https =>
        {
            https.ServerCertificate = X509Certificate2.CreateFromPemFile(certificate, key);
            https.ServerCertificateChain = [];
            https.ServerCertificateChain.ImportFromPemFile(certificate);
        });
        string host = $"{lab.Server.Address}";
        string[] trust = ["--ca", _authority.RootFile, "--tls-name", Authority.ServerName];
        await using ChildProcess h2 = await PingProcess.StartAsync(lab, $"https://{host}:{web.Port}", null, [.. trust, "--count", "3", "--interval", "300ms"]);
        await Outcomes.AssertAsync(() => "",
            ("rediss", PingProcess.FateAsync(lab, $"rediss://{host}:6390", null, redis.Id, trust), Good),
            ("ftps", PingProcess.FateAsync(lab, $"ftps://{host}:{RealFtpServer.Port}", null, vsftpd.Id, "--ca", vsftpd.CertificateFile, "--tls-name", RealFtpServer.Host), Good),
            ("https", PingProcess.OutcomeAsync(h2), "alive 0"),
            ("wss", PingProcess.OutcomeAsync(lab, $"wss://{host}:{web.Port}", null, [.. trust, "--count", "2"]), "alive 0"),
            ("rediss, nobody trusted", PingProcess.OutcomeAsync(lab, $"rediss://{host}:6390", null, "--tls-name", Authority.ServerName), "strange 1"));
        Assert.Contains("h2)", h2.Lines[0], StringComparison.Ordinal);
        Assert.Contains("PING ACK", h2.Transcript, StringComparison.Ordinal);
    }

    private static async Task<string> LineFateAsync(NetworkLab lab, string protocol, int port, string? user = null, string? password = null)
    {
        using var work = new WorkFolder();
        await using ChildProcess server = await LineServers.StartAsync(lab, work, port);
        return await PingProcess.FateAsync(lab, $"{protocol}://{(user is null ? "" : user + "@")}{lab.Server.Address}:{port}", password, server.Id);
    }
}
