namespace KeepAlive.SystemTests.Ftp;

/// <summary>Each layer alone keeps the control connection: the protocol's probes without the kernel's, and the other way.</summary>
public sealed class LayerTests
{
    public static TheoryData<FtpServerName> Servers => [FtpServerName.ProFtpd, FtpServerName.ProFtpdSendfile, FtpServerName.Vsftpd, FtpServerName.PureFtpd];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Probes_of_the_protocol_alone(FtpServerName server)
    {
        FtpOutcome outcome = await TransferTests.TransferAsync(server, FtpClientName.Ftplib, FtpDirection.Download, FtpMode.Passive, "ftp", "--tcp", "off", "--probe", "3:3:1");
        Assert.True(outcome.IsWell, outcome.Describe());
        Assert.Contains("\"probe-sent\"", outcome.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernel_keepalive_alone()
    {
        FtpOutcome outcome = await TransferTests.TransferAsync(FtpServerName.Vsftpd, FtpClientName.Ftplib, FtpDirection.Download, FtpMode.Passive, "ftp", "--tcp", "3:3:2", "--probe", "off");
        Assert.True(outcome.IsWell, outcome.Describe());
        Assert.DoesNotContain("\"probe-sent\"", outcome.Transcript, StringComparison.Ordinal);
    }
}

/// <summary>FTP over TLS passes through: nothing is read, kernel keepalive holds the control connection.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task Passive_data_reaches_the_server_through_the_range()
    {
        FtpOutcome outcome = await TransferTests.TransferAsync(
            FtpServerName.VsftpdTls, FtpClientName.Curl, FtpDirection.Download, FtpMode.ExtendedPassive, "ftp", "--tcp", "3:3:2", "--passive-range", RealFtpServer.PassiveRange);
        Assert.True(outcome.IsWell, outcome.Describe());
        Assert.Contains("\"plain-relay\"", outcome.Transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keepalive_it_breaks()
    {
        FtpOutcome outcome = await TransferTests.TransferAsync(
            FtpServerName.VsftpdTls, FtpClientName.Curl, FtpDirection.Download, FtpMode.ExtendedPassive, "ftp", "--tcp", "off", "--passive-range", RealFtpServer.PassiveRange);
        Assert.False(outcome.IsWell, outcome.Describe());
    }
}

/// <summary>The same without the gateway breaks: what the other tests show is the gateway's doing.</summary>
public sealed class WithoutGatewayTests
{
    public static TheoryData<FtpServerName, FtpClientName> Pairs => new()
    {
        { FtpServerName.ProFtpd, FtpClientName.Ftplib },
        { FtpServerName.ProFtpdSendfile, FtpClientName.Ftplib },
        { FtpServerName.Vsftpd, FtpClientName.Lftp },
        { FtpServerName.PureFtpd, FtpClientName.Curl },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Breaks_directly(FtpServerName server, FtpClientName client)
    {
        FtpOutcome outcome = await TransferTests.TransferAsync(server, client, FtpDirection.Download, FtpMode.Passive, null);
        Assert.True(outcome.Complete, $"the data connection itself must not break:\n{outcome.Describe()}");
        Assert.False(outcome.IsWell, outcome.Describe());
    }

    [Theory]
    [InlineData(FtpClientName.Ftplib)]
    [InlineData(FtpClientName.Lftp)]
    [InlineData(FtpClientName.Curl)]
    public async Task Breaks_through_a_plain_relay(FtpClientName client)
    {
        // Most clients dial the control peer for data, which here is the relay and knows nothing of it.
        FtpOutcome outcome = await TransferTests.TransferAsync(FtpServerName.Vsftpd, client, FtpDirection.Download, FtpMode.ExtendedPassive, "tcp", "--tcp", "off");
        Assert.False(outcome.IsWell, outcome.Describe());
    }
}
