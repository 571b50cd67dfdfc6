using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>FTP whose ends reach each other's addresses for data: each byte goes through as it is, and the probes stay what they were.</summary>
public sealed class FtpDirectTests
{
    private readonly FtpBench _bench = new FtpBench(new FtpOptions { IsDataDirect = true }).LogIn();

    [Theory]
    [InlineData("PASV\r\n", "227 Entering Passive Mode (10,0,0,9,195,80).\r\n")]
    [InlineData("EPSV\r\n", "229 Entering Extended Passive Mode (|||50000|)\r\n")]
    [InlineData("PORT 192,0,2,1,200,10\r\n", "200 ok\r\n")]
    [InlineData("EPRT |1|192.0.2.1|50000|\r\n", "200 ok\r\n")]
    [InlineData("PASV\r\n", "227 (10,0,0,9,0,20)\r\n")]
    [InlineData("PORT 198,51,100,99,200,10\r\n", "500 no\r\n")]
    public void Addresses_stay_as_they_are(string command, string reply)
    {
        _bench.Client(command);
        foreach (char c in reply) _bench.Server($"{c}");
        Assert.Equal((command, reply, 0), (_bench.ServerSaw, _bench.ClientSaw, _bench.Data.Opened));
    }

    [Fact]
    public void A_transfer_has_its_NOOPs_and_their_answers_are_swallowed()
    {
        _bench.Client("PASV\r\n");
        _bench.Server("227 (10,0,0,9,195,80)\r\n");
        _bench.Client("RETR f\r\n");
        _bench.Server("150 here\r\n");
        _bench.Now += TimeSpan.FromMinutes(1);
        _bench.Probe();
        _bench.Server("200 still here\r\n226 done\r\n");
        Assert.Equal("PASV\r\nRETR f\r\nNOOP\r\n", _bench.ServerSaw);
        Assert.Equal("227 (10,0,0,9,195,80)\r\n150 here\r\n226 done\r\n", _bench.ClientSaw);
    }

    [Fact]
    public void A_listing_of_ours_is_drained_as_ever()
    {
        var bench = new FtpBench(new FtpOptions { IsDataDirect = true, Commands = [FtpKeepAliveCommand.List], IdleAgeMax = TimeSpan.FromHours(1) }).LogIn();
        bench.Now += TimeSpan.FromMinutes(1);
        bench.Probe();
        bench.Server("229 (|||50000|)\r\n");
        Assert.Equal(("EPSV\r\nNLST\r\n", ""), (bench.ServerSaw, bench.ClientSaw));
        Assert.Equal([50000], bench.Data.Drained);
    }
}
