using System.Net;
using System.Text;
using KeepAlive.App.Configuration;
using KeepAlive.App.Web;

namespace KeepAlive.Tests.App;

public sealed class DashboardConfigTests
{
    [Theory]
    [InlineData("""{}""", "127.0.0.1:7200", false)]
    [InlineData("""{ "dashboard": {} }""", "127.0.0.1:7200", false)]
    [InlineData("""{ "dashboard": { "listen": "[::1]:8000" } }""", "[::1]:8000", true)]
    [InlineData("""{ "dashboard": { "listen": "off" } }""", null, true)]
    public void It_listens_where_it_is_told(string config, string? listen, bool isAsked)
    {
        WebOptions options = Good(config);
        Assert.Equal((listen is null ? null : IPEndPoint.Parse(listen), isAsked, false), (options.Listen, options.IsAsked, options.IsRemote));
    }

    [Fact]
    public void Hosts_are_a_list_of_names()
    {
        Assert.Equal(["a.example", "b.example"], Good("""{ "dashboard": { "hosts": ["a.example", "b.example"] } }""").Hosts);
        Assert.Empty(Good("""{ "dashboard": { "hosts": [] } }""").Hosts);
    }

    [Theory]
    [InlineData("""{ "dashboard": { "listen": "0.0.0.0:7200" } }""", "listen: 0.0.0.0:7200 is reached from beyond this machine, and without tls everything could be read on the way")]
    [InlineData("""{ "dashboard": { "listen": "7200" } }""", "or off")]
    [InlineData("""{ "dashboard": { "hosts": "a.example" } }""", "'hosts' is a list of texts")]
    [InlineData("""{ "dashboard": { "hosts": ["a example"] } }""", "'a example' is not a name such as")]
    [InlineData("""{ "dashboard": { "tls": ["/no/such/file.pem", "/no/such/key.pem"] } }""", "tls: cannot read /no/such/file.pem")]
    [InlineData("""{ "dashboard": { "tokenFile": "/no/such/token" } }""", "tokenFile: cannot read '/no/such/token'")]
    [InlineData("""{ "dashboard": { "clientCa": "/no/such/ca.pem" } }""", "clientCa: cannot read /no/such/ca.pem")]
    [InlineData("""{ "dashboard": { "port": 7200 } }""", "'port' is not known in 'dashboard'")]
    [InlineData("""{ "dashboard": [] }""", "'dashboard' is an object")]
    public void What_is_wrong_is_told_where_it_stands(string config, string fault)
    {
        Assert.Null(ConfigReader.Read(Encoding.UTF8.GetBytes(config), _ => { }, out IReadOnlyList<ConfigFault> faults));
        Assert.Contains(fault, Assert.Single(faults).Text, StringComparison.Ordinal);
        Assert.True(faults[0].Column > 3, $"at column {faults[0].Column}");
    }

    [Fact]
    public void Beyond_this_machine_takes_both_TLS_and_somebody_to_be_known_by()
    {
        var remote = new WebOptions { Listen = new IPEndPoint(IPAddress.IPv6Any, 7200) };
        using var key = System.Security.Cryptography.ECDsa.Create();
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=x", key, System.Security.Cryptography.HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        Assert.Contains("without --tls", DashboardArguments.WhyNot(remote with { Token = [1] }), StringComparison.Ordinal);
        Assert.Contains("by anybody", DashboardArguments.WhyNot(remote with { Certificate = certificate }), StringComparison.Ordinal);
        Assert.Null(DashboardArguments.WhyNot(remote with { Certificate = certificate, Token = [1] }));
        Assert.Null(DashboardArguments.WhyNot(remote with { Certificate = certificate, ClientAuthorities = [] }));
        Assert.Contains("in TLS only", DashboardArguments.WhyNot(new WebOptions { ClientAuthorities = [] }), StringComparison.Ordinal);
    }

    private static WebOptions Good(string config)
    {
        Config? read = ConfigReader.Read(Encoding.UTF8.GetBytes(config), _ => { }, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return read!.Dashboard;
    }
}
