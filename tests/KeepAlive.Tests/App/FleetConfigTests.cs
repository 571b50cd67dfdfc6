using System.Text;
using KeepAlive.App.Configuration;
using KeepAlive.App.Fleet;

namespace KeepAlive.Tests.App;

public sealed class FleetConfigTests
{
    private const string File = """
        { "gateways": [ { "name": "ftp-1", "listen": "127.0.0.1:2121", "to": "localhost:21", "tcp": "70:3:20", "noCheck": true },
                        { "name": "db", "listen": "127.0.0.1:5432", "to": "localhost:5432", "noCheck": true } ],
          "hosts": [ { "name": "own", "port": "22", "spec": "90:3:10" } ] }
        """;

    [Fact]
    public void The_fleet_goes_before_the_file_where_a_name_fits()
    {
        Config config = Merged("""{ "gateways": [ { "name": "ftp-*", "tcp": "30:4:5", "probe": "20:2:5" }, { "name": "*", "userTimeout": "45s" } ], "hosts": [ { "name": "ssh", "port": "22", "spec": "60:4:15" } ] }""");
        Assert.Equal(["30:4:5", "20:2:5"], [$"{config.Gateways[0].Options.Tcp}", $"{config.Gateways[0].Options.Probe}"]);
        Assert.Equal(["60:3:20", "45s"], [$"{config.Gateways[1].Options.Tcp}", $"{config.Gateways[1].Options.UserTimeout}"]);
        Assert.Equal(["ssh", "own"], config.Hosts.Select(h => h.Name));
    }

    [Fact]
    public void Where_no_name_fits_the_file_is_as_it_was() =>
        Assert.Equal(["70:3:20", "60:3:20"], Merged("""{ "gateways": [ { "name": "web", "tcp": "30:4:5" } ] }""").Gateways.Select(g => $"{g.Options.Tcp}"));

    [Theory]
    [InlineData("""{ "gateways": [ { "listen": "127.0.0.1:1" } ] }""", "p:1:19: 'listen' is not known in an entry of 'gateways'")]
    [InlineData("""{ "gateways": [ { "tcp": "60:15s:4" } ] }""", "tcp: ")]
    [InlineData("""{ "dashboard": {} }""", "'dashboard' is not known in a policy of the fleet")]
    [InlineData("""{ "hosts": [ { "spec": "60:4:15" } ] }""", "which connections?")]
    [InlineData("""{ "measure": [ {} ] }""", "'to' is missing")]
    [InlineData("""{ "measure": [ { "to": "r.example:7201", "every": "1s" } ] }""", "every: ")]
    [InlineData("""{ "measure": [ { "to": "r.example:7201", "tokenFile": "/etc/shadow" } ] }""", "'tokenFile' is not known")]
    [InlineData("""{""", "no JSON")]
    public void What_is_wrong_is_told_where_it_stands(string policy, string fault)
    {
        Assert.Null(FleetPolicyText.Read(policy, "p", out IReadOnlyList<string> faults));
        Assert.Contains(fault, Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_right_alone_may_be_wrong_on_a_machine()
    {
        FleetConfig fleet = FleetPolicyText.Read("""{ "gateways": [ { "name": "ftp-1", "tcp": "off" } ] }""", "p", out _)!;
        const string Tuned = """{ "gateways": [ { "name": "ftp-1", "listen": "127.0.0.1:2121", "to": "localhost:21", "tune": true } ] }""";
        Assert.NotNull(ConfigReader.Read(Encoding.UTF8.GetBytes(Tuned), _ => { }, out _));
        Assert.Null(ConfigReader.Read(Encoding.UTF8.GetBytes(Tuned), _ => { }, out IReadOnlyList<ConfigFault> faults, fleet));
        Assert.Contains("tune", Assert.Single(faults).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_to_be_measured_has_its_defaults()
    {
        MeasureTarget target = Assert.Single(FleetPolicyText.Read("""{ "measure": [ { "to": "r.example:7201" } ] }""", "p", out _)!.Measures);
        Assert.Equal((TimeSpan.FromDays(7), TimeSpan.FromMinutes(10)), (target.Every, target.Max));
    }

    private static Config Merged(string policy) =>
        ConfigReader.Read(Encoding.UTF8.GetBytes(File), _ => { }, out _, FleetPolicyText.Read(policy, "p", out _))!;
}
