using KeepAlive.Protocols;

namespace KeepAlive.Tests.Protocols;

/// <summary>Which protocol a name and a port mean.</summary>
public sealed class ProtocolListTests
{
    [Theory]
    [InlineData(21, "ftp")]
    [InlineData(80, "http")]
    [InlineData(389, "ldap")]
    [InlineData(1883, "mqtt")]
    [InlineData(5432, "postgresql")]
    [InlineData(6379, "redis")]
    [InlineData(179, "tcp")]
    [InlineData(443, "tcp")]
    [InlineData(1433, "tcp")]
    public void A_port_means_one_protocol_or_a_plain_relay(int port, string name) => Assert.Equal(name, ProtocolList.ForPort(port).Name);

    [Theory]
    [InlineData(990, "ftp")]
    [InlineData(21, "ftp")]
    [InlineData(443, "http")]
    [InlineData(636, "ldap")]
    [InlineData(993, "imap")]
    [InlineData(8883, "mqtt")]
    [InlineData(6379, "redis")]
    [InlineData(179, "tcp")]
    public void Inside_TLS_its_port_means_it_too(int port, string name) => Assert.Equal(name, ProtocolList.ForTlsPort(port).Name);

    [Fact]
    public void Names_and_ports_are_given_once()
    {
        Assert.Equal(ProtocolList.All.Count, ProtocolList.All.Select(p => p.Name).Distinct().Count());
        int[] ports = [.. ProtocolList.All.SelectMany(p => p.Ports), .. ProtocolList.All.Select(p => p.TlsPort).Where(port => port != 0)];
        Assert.Equal(ports.Length, ports.Distinct().Count());
    }

    [Theory]
    [InlineData("bgp")]
    [InlineData("TDS")]
    public void Some_never_will_be_and_why_is_said(string name)
    {
        Assert.Null(ProtocolList.Find(name));
        Assert.EndsWith(": use tcp", ProtocolList.WhyNever(name), StringComparison.Ordinal);
    }
}
