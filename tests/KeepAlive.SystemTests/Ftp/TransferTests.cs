using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

/// <summary>
/// The main road: a transfer of 24 s through a middlebox that forgets a silent connection after 8 s, with an unmodified
/// client and a real server, through the gateway on the client's host. Classes run side by side, their rows in turn.
/// </summary>
public abstract class TransferTests(FtpServerName server, FtpClientName client)
{
    private static readonly string[] BothLayers = ["--tcp", "3:3:2", "--probe", "3:3:2"];

    public static TheoryData<FtpDirection, FtpMode> Rows => new MatrixTheoryData<FtpDirection, FtpMode>(Enum.GetValues<FtpDirection>(), Enum.GetValues<FtpMode>());

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Outlives_the_middlebox_through_the_gateway(FtpDirection direction, FtpMode mode)
    {
        FtpOutcome outcome = await TransferAsync(server, client, direction, mode, "ftp", BothLayers);
        Assert.True(outcome.IsWell, outcome.Describe());
    }

    /// <summary>One transfer with everything it needs, its gateway included; without gateway options, directly.</summary>
    internal static async Task<FtpOutcome> TransferAsync(FtpServerName server, FtpClientName client, FtpDirection direction, FtpMode mode, string? protocol, params string[] options)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        // Active mode needs a middlebox that lets the server open the data connection.
        Middlebox middlebox = mode == FtpMode.Active ? Middlebox.StatefulFirewall : Middlebox.MasqueradingNat;
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { Middlebox = middlebox });
        await using RealFtpServer real = await RealFtpServer.StartAsync(lab, server);
        if (protocol is null) return await RealFtpClient.RunAsync(client, lab.Client, real.Address, RealFtpServer.Port, real, direction, mode, cancel);

        await using GatewayProcess gateway = await GatewayProcess.StartAsync(lab.Client, real.Address, RealFtpServer.Port, ["--protocol", protocol, .. options]);
        FtpOutcome outcome = await RealFtpClient.RunAsync(client, lab.Client, "127.0.0.1", gateway.Port, real, direction, mode, cancel);
        return outcome with { Transcript = $"{outcome.Transcript}\n--- gateway\n{gateway.Transcript}" };
    }
}

public sealed class ProFtpdWithFtplib() : TransferTests(FtpServerName.ProFtpd, FtpClientName.Ftplib);

public sealed class ProFtpdWithLftp() : TransferTests(FtpServerName.ProFtpd, FtpClientName.Lftp);

public sealed class ProFtpdWithCurl() : TransferTests(FtpServerName.ProFtpd, FtpClientName.Curl);

public sealed class ProFtpdSendfileWithFtplib() : TransferTests(FtpServerName.ProFtpdSendfile, FtpClientName.Ftplib);

public sealed class ProFtpdSendfileWithLftp() : TransferTests(FtpServerName.ProFtpdSendfile, FtpClientName.Lftp);

public sealed class ProFtpdSendfileWithCurl() : TransferTests(FtpServerName.ProFtpdSendfile, FtpClientName.Curl);

public sealed class VsftpdWithFtplib() : TransferTests(FtpServerName.Vsftpd, FtpClientName.Ftplib);

public sealed class VsftpdWithLftp() : TransferTests(FtpServerName.Vsftpd, FtpClientName.Lftp);

public sealed class VsftpdWithCurl() : TransferTests(FtpServerName.Vsftpd, FtpClientName.Curl);

public sealed class PureFtpdWithFtplib() : TransferTests(FtpServerName.PureFtpd, FtpClientName.Ftplib);

public sealed class PureFtpdWithLftp() : TransferTests(FtpServerName.PureFtpd, FtpClientName.Lftp);

public sealed class PureFtpdWithCurl() : TransferTests(FtpServerName.PureFtpd, FtpClientName.Curl);
