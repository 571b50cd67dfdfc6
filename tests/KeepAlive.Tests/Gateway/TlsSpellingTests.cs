using KeepAlive.Gateway.Tls;

namespace KeepAlive.Tests.Gateway;

/// <summary>One name, spelled otherwise for each flow, as long as its letters last.</summary>
public sealed class TlsSpellingTests
{
    [Theory]
    [InlineData("ftp.example.com", 0, "ftp.example.com")]
    [InlineData("ftp.example.com", 1, "ftp.example.coM")]
    [InlineData("ftp.example.com", 8, "ftp.examplE.com")]
    [InlineData("FTP-1", 2, "FtP-1")]
    [InlineData("192.0.2.1", 7, "192.0.2.1")]
    public void Each_bit_turns_a_letter(string name, long flow, string spelled) => Assert.Equal(spelled, TlsSpelling.Of(name, flow));

    [Fact]
    public void No_two_of_as_many_as_the_letters_allow_are_alike()
    {
        string[] all = [.. Enumerable.Range(0, 1 << 13).Select(flow => TlsSpelling.Of("ftp.example.com", flow))];
        Assert.Equal(all.Length, all.Distinct(StringComparer.Ordinal).Count());
        Assert.Single(all.Distinct(StringComparer.OrdinalIgnoreCase));
    }
}
