using System.Net;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Tls;

/// <summary>The files of TLS on the command line: each that is not what it should be is named before anybody is served.</summary>
public sealed class TlsCommandTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "keepalive");

    private readonly Authority _authority = new();
    private readonly WorkFolder _work = new();

    public void Dispose()
    {
        _authority.Dispose();
        _work.Dispose();
    }

    [Theory]
    [InlineData("--ca CERT", "--ca is for verifying a server: give it with --tls-upstream")]
    [InlineData("--tls-name a", "--tls-name is for verifying a server: give it with --tls-upstream")]
    [InlineData("--tls-upstream --tls-name a/b", "--tls-name: 'a/b' is no host's name")]
    [InlineData("--tls-downstream CERT", "'--tls-downstream'")]
    [InlineData("--tls-upstream --passive-range 50000-50001", "--passive-range is for sessions that the gateway cannot read: leave it out")]
    [InlineData("--tls-downstream CERT KEY --passive-range 50000-50001", "--passive-range is for sessions that the gateway cannot read: leave it out")]
    [InlineData("--proxy-out v3", "'v3' is no version of the PROXY protocol: give v1")]
    public async Task Options_that_make_no_sense_exit_with_2(string options, string said)
    {
        (int code, string output) = await RunAsync(options);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.Equal(2, code);
    }

    [Theory]
    [InlineData("--tls-upstream --ca NONE", "--ca: cannot read ")]
    [InlineData("--tls-upstream --ca KEY", " holds no certificate: give one in PEM")]
    [InlineData("--tls-upstream --ca BROKEN", "--ca: a certificate in ")]
    [InlineData("--tls-downstream NONE KEY", "--tls-downstream: cannot read ")]
    [InlineData("--tls-downstream CERT NONE", "--tls-downstream: cannot read ")]
    [InlineData("--tls-downstream CERT CERT", " is not the key of the first certificate in ")]
    [InlineData("--tls-downstream CERT OTHERKEY", " is not the key of the first certificate in ")]
    [InlineData("--tls-downstream CERT ENCRYPTED", " is encrypted, and nobody is there to ask for its password")]
    public async Task A_bad_file_is_named_and_exits_with_1(string options, string said)
    {
        (int code, string output) = await RunAsync(options);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    [Fact]
    public async Task A_key_that_others_may_read_is_told_and_none_of_it_is()
    {
        (string certificate, string key) = _authority.Issue(validFor: TimeSpan.FromHours(-1));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await using ChildProcess gateway = await ChildProcess.StartAsync(
            [Program, "gateway", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--no-check", "--tls-downstream", certificate, key]);
        await gateway.WaitForLineAsync(line => line.StartsWith("listening on ", StringComparison.Ordinal), Bench.Patience);
        await gateway.WaitForLineAsync(line => line.Contains($"others may read the key file {key}", StringComparison.Ordinal), Bench.Patience);
        await gateway.WaitForLineAsync(line => line.Contains("so clients will refuse it: renew it", StringComparison.Ordinal), Bench.Patience);
        string secret = (await File.ReadAllLinesAsync(key, TestContext.Current.CancellationToken))[2];
        Assert.DoesNotContain(secret, gateway.Transcript, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output)> RunAsync(string options)
    {
        (string certificate, string key) = _authority.Issue();
        string broken = _work.File("broken"), encrypted = _work.File("encrypted");
        await File.WriteAllTextAsync(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        await ChildProcess.RunAsync(["openssl", "pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", encrypted]);
        string[] words = [.. options.Split(' ').Select(word => word switch
        {
            "CERT" => certificate,
            "KEY" => key,
            "OTHERKEY" => _authority.Issue().Key,
            "BROKEN" => broken,
            "ENCRYPTED" => encrypted,
            "NONE" => _work.File("none"),
            _ => word,
        })];
        await using ChildProcess process = await ChildProcess.StartAsync([Program, "gateway", "--listen", $"{IPAddress.Loopback}:0", "--to", "127.0.0.1:1", "--no-check", .. words]);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, process.Transcript);
    }
}
