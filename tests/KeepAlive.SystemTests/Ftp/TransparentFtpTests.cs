using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

/// <summary>
/// A transfer of 24 s behind a middlebox that forgets after 8 s, by a client that dials the server's own address, with a transparent
/// gateway on its host. Classes run side by side.
/// </summary>
public abstract class TransparentFtpTests(FtpServerName name, FtpClientName client, FtpMode mode)
{
    [Fact]
    public async Task Its_data_goes_straight_while_its_control_connection_is_held_by_NOOP()
    {
        Middlebox middlebox = mode == FtpMode.Active ? Middlebox.StatefulFirewall : Middlebox.MasqueradingNat;
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { Middlebox = middlebox });
        await using RealFtpServer server = await RealFtpServer.StartAsync(lab, name);
        // Kernel keepalive comes too late here: what holds it is what is said in the session.
        await using GatewayProcess gateway = await GatewayProcess.StartTransparentAsync(lab.Client, RealFtpServer.Port, "--protocol", "ftp", "--tcp", "60:3:20", "--probe", "3:3:2");
        FtpOutcome outcome = await RealFtpClient.RunAsync(client, lab.Client, server.Address, RealFtpServer.Port, server, FtpDirection.Download, mode, TestContext.Current.CancellationToken);
        Assert.True(outcome.IsWell, $"{outcome.Describe()}\n{gateway.Transcript}");
        Assert.True(gateway.Count("probe-sent") >= 3, gateway.Transcript);
        Assert.Equal((1, 0, 0), (gateway.Count("opened"), gateway.Count("data-opened"), gateway.Count("plain-relay")));
    }
}

public sealed class TransparentVsftpdWithFtplib() : TransparentFtpTests(FtpServerName.Vsftpd, FtpClientName.Ftplib, FtpMode.Passive);

public sealed class TransparentProFtpdWithCurl() : TransparentFtpTests(FtpServerName.ProFtpd, FtpClientName.Curl, FtpMode.ExtendedPassive);

public sealed class TransparentPureFtpdWithLftp() : TransparentFtpTests(FtpServerName.PureFtpd, FtpClientName.Lftp, FtpMode.Active);
