using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

/// <summary>
/// FTPS by the gateway for a client that knows nothing of it: servers that take nothing without TLS, and no data connection whose
/// session is not the control connection's, behind a middlebox that forgets after 8 s. Probes alone keep the session.
/// </summary>
public abstract class FtpsTests(FtpServerName server)
{
    private static readonly string[] Probes = ["--protocol", "ftp", "--tcp", "off", "--probe", "3:3:1"];

    public static TheoryData<FtpDirection, FtpMode> Rows => new()
    {
        { FtpDirection.Download, FtpMode.Passive },
        { FtpDirection.Upload, FtpMode.ExtendedPassive },
        { FtpDirection.Download, FtpMode.Active },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_plain_client_s_transfer_outlives_the_middlebox(FtpDirection direction, FtpMode mode)
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { Middlebox = mode == FtpMode.Active ? Middlebox.StatefulFirewall : Middlebox.MasqueradingNat });
        await using RealFtpServer real = await RealFtpServer.StartAsync(lab, server);
        await using GatewayProcess gateway = await StartAsync(lab, real);
        FtpOutcome outcome = await RealFtpClient.RunAsync(FtpClientName.Ftplib, lab.Client, "127.0.0.1", gateway.Port, real, direction, mode, TestContext.Current.CancellationToken);
        Assert.True(outcome.IsWell, $"{outcome.Describe()}\n--- gateway\n{gateway.Transcript}");
        Assert.Contains("\"probe-sent\"", gateway.Transcript, StringComparison.Ordinal);
        Assert.Contains(", TLS 1.3\"", gateway.Transcript, StringComparison.Ordinal);
        Assert.DoesNotContain("\"notice\"", gateway.Transcript, StringComparison.Ordinal);
    }

    // Two sessions in turn, so that the last session of TLS with the server is never the one whose data is asked for; ABOR in between.
    private const string Session = """
        import ftplib, io, socket, sys
        port, user, password, folder = sys.argv[1:]
        sessions = [ftplib.FTP(timeout=20) for _ in range(2)]
        for session in sessions:
            session.connect("127.0.0.1", int(port))
            for refused in ("AUTH TLS", "PROT C", "CCC"):
                try:
                    session.sendcmd(refused)
                    print("taken:", refused)
                except ftplib.error_perm as error:
                    assert str(error).startswith("534 "), error
            session.login(user, password)
        for turn in range(3):
            for number, session in enumerate(sessions):
                session.sendcmd("NOOP")
                names = session.nlst()
                assert any(name.endswith("big") for name in names), names
                payload = (b"%d %d " % (turn, number)) * 50000
                name = folder + "f%d%d" % (turn, number)
                session.storbinary("STOR " + name, io.BytesIO(payload))
                session.sendcmd("NOOP")
                try:
                    session.retrbinary("RETR missing", print)
                    print("there is no such file")
                except ftplib.error_perm as error:
                    assert str(error).startswith("550 "), error
                session.voidcmd("TYPE I")
                data = session.transfercmd("RETR big")
                data.recv(1000)
                data.close()
                session.getmultiline()
                assert session.pwd() == "/" or session.pwd(), "the session is out of step"
        for session in sessions:
            session.quit()
        print("well")
        """;

    [Fact]
    public async Task Sessions_beside_each_other_have_their_data()
    {
        Requires.Programs("python3");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        await using RealFtpServer real = await RealFtpServer.StartAsync(lab, server);
        await using GatewayProcess gateway = await StartAsync(lab, real);
        string folder = real.UploadPath.Contains('/', StringComparison.Ordinal) ? "up/" : "";
        await using ChildProcess client = await lab.Client.StartAsync(["python3", "-c", Session, $"{gateway.Port}", real.User, real.Password, folder]);
        await client.WaitForExitAsync(TimeSpan.FromSeconds(100));
        Assert.True(client.Lines is ["well"], $"{client.Transcript}\n--- gateway\n{gateway.Transcript}");
        await gateway.WaitForAsync("data-opened", 18, TimeSpan.FromSeconds(5));
    }

    private static Task<GatewayProcess> StartAsync(NetworkLab lab, RealFtpServer real) => GatewayProcess.StartAsync(
        lab.Client, real.Address, RealFtpServer.Port, [.. Probes, "--tls-upstream", "--ca", real.CertificateFile, "--tls-name", RealFtpServer.Host]);
}

public sealed class VsftpdFtpsTests() : FtpsTests(FtpServerName.VsftpdTls);

public sealed class ProFtpdFtpsTests() : FtpsTests(FtpServerName.ProFtpdTls);
