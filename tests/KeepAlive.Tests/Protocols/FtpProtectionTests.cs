using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>Commands about protection where that is the gateway's, and replies read one by one.</summary>
public sealed class FtpProtectionTests
{
    private const int Inputs = 100_000;

    [Theory]
    [InlineData(FtpProtectedLegs.Upstream, "PROT C", "534 ")]
    [InlineData(FtpProtectedLegs.Upstream, "prot p", "534 ")]
    [InlineData(FtpProtectedLegs.Upstream, "AUTH TLS", "534 ")]
    [InlineData(FtpProtectedLegs.Upstream, "CCC", "534 ")]
    [InlineData(FtpProtectedLegs.Upstream, "PBSZ 0", "534 ")]
    [InlineData(FtpProtectedLegs.Downstream, "PBSZ 0", "200 ")]
    [InlineData(FtpProtectedLegs.Downstream, "PROT P", "200 ")]
    [InlineData(FtpProtectedLegs.Downstream, "PROT C", "534 ")]
    [InlineData(FtpProtectedLegs.Downstream | FtpProtectedLegs.Upstream, "CCC", "534 ")]
    [InlineData(FtpProtectedLegs.None, "AUTH TLS", null)]
    [InlineData(FtpProtectedLegs.None, "PROT C", null)]
    [InlineData(FtpProtectedLegs.Upstream, "FEAT", null)]
    public void The_gateway_answers_what_is_its_own(object legsValue, string command, string? answer)
    {
        var legs = (FtpProtectedLegs)legsValue;
        var verdicts = new Verdicts();
        var protocol = new FtpProtocol(new FtpOptions { Protected = legs }, new FtpServer(), NoDataPaths.Instance, Instant.Zero);
        protocol.OnReceived(Leg.Upstream, "220 hi\r\n"u8, Instant.Zero, verdicts);
        verdicts.Clear();
        protocol.OnReceived(Leg.Downstream, Encoding.ASCII.GetBytes(command + "\r\n"), Instant.Zero, verdicts);
        Assert.Equal(answer is null ? command + "\r\n" : "", Encoding.ASCII.GetString(verdicts.BytesFor(Leg.Upstream)));
        Assert.StartsWith(answer ?? "", Encoding.ASCII.GetString(verdicts.BytesFor(Leg.Downstream)), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_answer_waits_for_those_before_it()
    {
        var verdicts = new Verdicts();
        var protocol = new FtpProtocol(new FtpOptions { Protected = FtpProtectedLegs.Upstream }, new FtpServer(), NoDataPaths.Instance, Instant.Zero);
        protocol.OnReceived(Leg.Upstream, "220 hi\r\n"u8, Instant.Zero, verdicts);
        verdicts.Clear();
        protocol.OnReceived(Leg.Downstream, "SYST\r\nPROT C\r\nNOOP\r\n"u8, Instant.Zero, verdicts);
        Assert.Equal("SYST\r\nNOOP\r\n", Encoding.ASCII.GetString(verdicts.BytesFor(Leg.Upstream)));
        protocol.OnReceived(Leg.Upstream, "215 UNIX\r\n200 fine\r\n"u8, Instant.Zero, verdicts);
        Assert.Equal(["215", "534", "200"], Encoding.ASCII.GetString(verdicts.BytesFor(Leg.Downstream)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => line[..3]));
    }

    [Theory]
    [InlineData("220 hi\r\n", 220)]
    [InlineData("220-one\r\n221 not yet\r\n220 two\r\n", 220)]
    [InlineData("234\r\n", 234)]
    public void One_reply_is_read_and_nothing_behind_it(string reply, int code)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(reply);
        for (int length = 0; length < bytes.Length; length++) Assert.Equal(FtpReplyState.NeedMore, FtpReply.Read(bytes.AsSpan(0, length), out _, out _));
        Assert.Equal(FtpReplyState.Whole, FtpReply.Read([.. bytes, .. "x\0y"u8], out int found, out int read));
        Assert.Equal((code, bytes.Length), (found, read));
    }

    [Theory]
    [InlineData("SSH-2.0-x\r\n")]
    [InlineData("\x16\x03\x01\x02\r\n")]
    [InlineData("999 no\r\n")]
    public void What_is_no_reply_is_said_so(string bytes) => Assert.Equal(FtpReplyState.Malformed, FtpReply.Read(Encoding.Latin1.GetBytes(bytes), out _, out _));

    [Fact]
    public void Noise_never_throws()
    {
        var random = new Random(1);
        byte[] input = new byte[64];
        for (int i = 0; i < Inputs; i++)
        {
            random.NextBytes(input);
            "220-one\r\n220 two\r\n"u8.CopyTo(input);
            for (int edits = random.Next(5); edits > 0; edits--) input[random.Next(20)] = (byte)random.Next(256);
            int given = random.Next(input.Length);
            Assert.Equal(FtpReply.Read(input.AsSpan(0, given), out int code, out int length) == FtpReplyState.Whole, code > 0);
            Assert.InRange(length, 0, given);
        }
    }
}
