using System.Text;
using System.Text.Json;
using KeepAlive.App.Configuration;
using KeepAlive.App.Gateways;
using KeepAlive.App.Measure;
using KeepAlive.App.Up;
using KeepAlive.Gateway;
using KeepAlive.Tests.Tidy;

namespace KeepAlive.Tests.App;

public sealed class ConfigTests
{
    [Fact]
    public void The_example_has_no_fault_and_shows_every_member()
    {
        Config config = Good(ConfigExample.ToText());
        Assert.Equal(("ftp", "databases"), (config.Gateways.Single().Name, config.Hosts.Single().Name));
        Assert.Equal(HostMode.Observe, config.Hosts.Single().Mode);
        foreach (ConfigSection section in ConfigSection.All)
            Assert.All(section.Members, member => Assert.Contains($"\"{member.Name}\": ", ConfigExample.ToText(), StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_example_says_in_comments_is_right_too()
    {
        // Each alone, as some exclude each other; what has no default stands for a value of its kind only.
        string[] lines = ConfigExample.ToText().Split('\n');
        int tried = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].TrimStart().StartsWith("// \"", StringComparison.Ordinal) || lines[i].Contains("\"...\"", StringComparison.Ordinal)) continue;
            string[] with = [.. lines[..i], lines[i].Replace("// ", "", StringComparison.Ordinal), .. lines[(i + 1)..]];
            Good(string.Join('\n', with));
            tried++;
        }

        Assert.InRange(tried, 10, 100);
    }

    [Fact]
    public void The_schema_is_published_and_has_every_member()
    {
        string schema = ConfigSchema.ToText();
        Assert.True(schema == File.ReadAllText(Path.Combine(SourceTree.Root, "docs/keepalive.schema.json")), "docs/keepalive.schema.json is not what the program prints: ./keepalive config schema > docs/keepalive.schema.json");
        JsonElement root = JsonDocument.Parse(schema).RootElement;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", root.GetProperty("$schema").GetString());
        foreach (ConfigSection section in ConfigSection.All)
        {
            JsonElement entry = root.GetProperty("properties").GetProperty(section.Name).GetProperty("items");
            Assert.Equal(["name", .. section.Members.Select(m => m.Name)], entry.GetProperty("properties").EnumerateObject().Select(p => p.Name));
            Assert.Equal(section.Required, entry.GetProperty("required").EnumerateArray().Select(r => r.GetString()!));
            Assert.False(entry.GetProperty("additionalProperties").GetBoolean());
        }
    }

    [Fact]
    public void A_gateway_may_say_all_that_the_command_line_can()
    {
        string[] members = [.. ConfigSection.Gateways.Members.Select(m => m.Name)];
        string[] missing = [.. GatewayCommand.Create().Options.Select(option => new ConfigMember(option).Name).Except(members)];
        Assert.Equal(["json", "transparent", "port", "user", "cgroup", "dryRun"], missing);
    }

    [Fact]
    public void Values_are_read_as_the_command_line_reads_them()
    {
        GatewayConfig gateway = Good("""
            { // comments
              "$schema": "keepalive.schema.json",
              "gateways": [ { "name": "db", "listen": "127.0.0.1:5433", "to": "db.example.com:5432", "tcp": "20:2:5", "probe": "off", "userTimeout": "30s",
                /* and these */ "maxFlows": 7, "drain": 90, "connectTimeout": "2s", "proxyIn": true, "proxyOut": "v2", "engine": "portable", "noCheck": true, "httpInterim": false, }, ],
            }
            """).Gateways.Single();
        GatewayOptions options = gateway.Options;
        Assert.Equal(("db", "127.0.0.1:5433", "db.example.com:5432", "postgresql"), (gateway.Name, options.Listen.ToString(), options.To.ToString(), options.Protocol.Name));
        Assert.Equal((KeepAliveSpec.Parse("20:2:5"), KeepAliveSpec.Off, UserTimeout.Of(TimeSpan.FromSeconds(30))), (options.Tcp, options.Probe, options.UserTimeout));
        Assert.Equal((7, TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(2), false), (options.MaxFlows, gateway.Drain, options.ConnectTimeout, gateway.IsChecked));
        Assert.Equal((true, RelayEngine.Portable), (options.ProxyIn, options.Engine));
    }

    [Theory]
    [InlineData("""{ "gatways": [] }""", "1:3: 'gatways' is not known in the file: did you mean 'gateways'?")]
    [InlineData("""[]""", "1:1: the file is an object, in braces, not a list")]
    [InlineData("""{ "gateways": {} }""", "1:15: 'gateways' is a list, in brackets, not an object")]
    [InlineData("""{ "gateways": [], "gateways": [] }""", "1:19: 'gateways' is here twice: keep one of them")]
    [InlineData("""{ "hosts": [ 1 ] }""", "1:14: an entry of 'hosts' is an object, in braces, not the number 1")]
    [InlineData("""{ "gateways": [ LISTEN, "maxFlow": 3 } ] }""", "did you mean 'maxFlows'?")]
    [InlineData("""{ "gateways": [ LISTEN, "maxFlows": 0 } ] }""", "maxFlows: '0' is not a whole number from 1 to 1000000")]
    [InlineData("""{ "gateways": [ LISTEN, "tcp": "60s:3s" } ] }""", "tcp: '60s:3s' has 2 parts, not 3")]
    [InlineData("""{ "gateways": [ LISTEN, "tcp": true } ] }""", "'tcp' is a text or a number, and not empty")]
    [InlineData("""{ "gateways": [ LISTEN, "tcp": "" } ] }""", "not the text ''")]
    [InlineData("""{ "gateways": [ LISTEN, "tlsUpstream": "yes" } ] }""", "'tlsUpstream' is true or false, not the text 'yes'")]
    [InlineData("""{ "gateways": [ LISTEN, "tlsDownstream": "cert.pem" } ] }""", "'tlsDownstream' is a list of 2 texts")]
    [InlineData("""{ "gateways": [ LISTEN, "tlsDownstream": ["/a", "--json"] } ] }""", "none beginning with a dash")]
    [InlineData("""{ "gateways": [ LISTEN, "tlsDownstream": ["/nowhere", "@/nowhere"] } ] }""", "cannot read /nowhere")]
    [InlineData("""{ "gateways": [ LISTEN, "ca": "/a" } ] }""", "ca is for verifying a server: give it with tlsUpstream")]
    [InlineData("""{ "gateways": [ LISTEN, "ldapProbe": "bind" } ] }""", "ldapProbe: 'bind' is not known: give abandon, search")]
    [InlineData("""{ "gateways": [ LISTEN, "protocol": "gopher" } ] }""", "protocol: 'gopher' is not known: give auto, tcp")]
    [InlineData("""{ "gateways": [ LISTEN, "transparent": true } ] }""", "'transparent' is for 'keepalive gateway' alone")]
    [InlineData("""{ "gateways": [ LISTEN, "name": 5 } ] }""", "'name' is a text of 1 to 64 characters, not the number 5")]
    [InlineData("""{ "gateways": [ LISTEN, "name": "a" }, { "listen": "127.0.0.1:2", "to": "h:1", "name": "a" } ] }""", "'a' is the name of another one of 'gateways'")]
    [InlineData("""{ "gateways": [ LISTEN, "name": "a" }, LISTEN, "name": "b" } ] }""", "listen: 127.0.0.1:1 is where another gateway listens")]
    [InlineData("""{ "gateways": [ { "listen": "127.0.0.1:1" } ] }""", "1:17: 'to' is missing: The server")]
    [InlineData("""{ "gateways": [ { "listen": "127.0.0.1", "to": "h:1" } ] }""", "1:29: listen: '127.0.0.1' has no port")]
    [InlineData("""{ "hosts": [ { "spec": "on" } ] }""", "which connections?")]
    [InlineData("""{ "hosts": [ { "port": 22 } ] }""", "'spec' is missing: Keepalive")]
    [InlineData("""{ "hosts": [ { "port": 22, "spec": "on", "mode": "loud" } ] }""", "mode: 'loud' is not known: give observe, apply")]
    [InlineData("""{ "hosts": [ { "remote": "1.2.3.4/99", "spec": "on" } ] }""", "'1.2.3.4/99' is not a network")]
    [InlineData("""{ "hosts": [ { "user": "nobody at all", "spec": "on" } ] }""", "'nobody at all' is no user")]
    [InlineData("""{ "hosts": [ { "cgroup": "/", "spec": "on" } ] }""", "'/' is not a cgroup below the root")]
    [InlineData("""{ "paths": "paths.json" }""", "1:12: 'paths' is the whole path of a file")]
    [InlineData("""{ "gateways": [ LISTEN, "engine": "a\u001bb\nc" } ] }""", "engine: 'a?b?c' is not known")]
    [InlineData("{ \"gateways\": [\n1 2 ] }", "2:3: no JSON")]
    [InlineData("{ \"ä\": 1, \"b\": 2 }", "1:11: 'b' is not known")]
    [InlineData("", "1:1: no JSON")]
    [InlineData("{} {}", "1:4: no JSON")]
    public void A_fault_has_its_place_and_says_what_to_do(string text, string said)
    {
        string[] faults = Faults(text.Replace("LISTEN", """{ "listen": "127.0.0.1:1", "to": "h:1" """.TrimEnd(), StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains(said, StringComparison.Ordinal));
        Assert.All(faults, fault => Assert.DoesNotContain('\n', fault));
    }

    [Fact]
    public void All_faults_are_told_at_once_in_the_order_of_the_file()
    {
        string[] faults = Faults("""
            {
              "gateways": [
                { "listen": "127.0.0.1:1", "tcp": "x", "hold": "y" },
                { "listen": "127.0.0.1:2", "to": "h:1", "ftpCommands": "cwd" },
              ],
              "hosts": [ { "sepc": "on" } ],
            }
            """);
        Assert.Equal(["3:5", "3:39", "3:52", "4:60", "6:14", "6:14", "6:16"], faults.Select(f => string.Join(':', f.Split(':')[..2])));
    }

    [Fact]
    public void What_follows_from_a_fault_is_not_told_beside_it()
    {
        Assert.Single(Faults("""{ "hosts": [ { "user": "nobody at all", "spec": "on" } ] }"""));
        Assert.Single(Faults("""{ "gateways": [ { "listen": "127.0.0.1:1", "to": "h:1", "ftpCommands": "cwd", "hold": "ever" } ] }"""));
        Assert.Single(Faults("""{ "hosts": [ 1 ] }"""));
    }

    [Fact]
    public void The_environment_goes_before_the_file()
    {
        // The whole suite is run with KEEPALIVE_PATHS, so that it does not know this machine's.
        Assert.True(PathStore.IsNamedOutside);
        Assert.Same(PathStore.Default, Good("""{ "paths": "/nowhere/paths.json" }""").Paths);
    }

    [Fact]
    public void A_file_of_nothing_but_faults_tells_the_first_hundred() =>
        Assert.Equal(100, Faults("{" + string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"x{i}\":1")) + "}").Length);

    [Fact]
    public void Whatever_the_bytes_are_they_are_read_or_refused()
    {
        byte[] example = Encoding.UTF8.GetBytes(ConfigExample.ToText());
        var random = new Random(4);
        int refused = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = [.. example];
            for (int n = random.Next(1, 6); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (ConfigReader.Read(bytes[..random.Next(bytes.Length + 1)], _ => { }, out IReadOnlyList<ConfigFault> faults) is null) refused++;
            else Assert.Empty(faults);
        }

        Assert.InRange(refused, 250, 300);
    }

    [Fact]
    public void A_reload_touches_what_is_different_alone()
    {
        Config before = Good(Gateways("a 1 h:1", "b 2 h:1", "c 3 h:1", "d 4 h:1", "e 0 h:1", "f 0 h:1"));
        Config after = Good(Gateways("a 1 h:1", "renamed 2 h:1", "c 3 h:2", "d 5 h:1", "e 0 h:1", "f 0 h:2"));
        var changes = GatewayChanges.Between(before.Gateways, after.Gateways);
        Assert.Equal(["a", "b", "e"], changes.Kept.Select(k => k.Before.Name));
        Assert.Equal(["c", "f"], changes.TakenOver.Select(k => k.After.Name));
        Assert.Equal(["d"], changes.Started.Select(s => s.Name));
        Assert.Equal("127.0.0.1:5", changes.Started[0].Options.Listen.ToString());
        Assert.Equal(["127.0.0.1:4"], changes.Ended.Select(e => e.Options.Listen.ToString()));
        Assert.Equal("gateways: 3 unchanged, 2 changed, 1 started, 1 ended", changes.ToString());
    }

    [Theory]
    [InlineData("", "\"tcp\": \"10:3:5\"", "Retuned")]
    [InlineData("\"tcp\": \"off\", \"probe\": \"off\"", "\"tcp\": \"on\", \"clientProbe\": \"5:3:5\"", "Retuned")]
    [InlineData("\"userTimeout\": \"30s\"", "", "Retuned")]
    [InlineData("\"tcp\": \"60:3:20\"", "\"tcp\": \"1m:3:20s\", \"drain\": 9", "Kept")]
    [InlineData("\"tcp\": \"60:3:20\"", "\"tcp\": \"10:3:5\", \"maxFlows\": 7", "TakenOver")]
    [InlineData("\"tcp\": \"auto\"", "\"tcp\": \"60:3:20\"", "TakenOver")]
    [InlineData("\"tcp\": \"60:3:20\"", "\"tcp\": \"auto\"", "TakenOver")]
    [InlineData("\"tcp\": \"auto\"", "\"tcp\": \"auto\", \"probe\": \"5:3:5\"", "TakenOver")]
    [InlineData("\"tcp\": \"auto\"", "\"tcp\": \"auto\"", "Kept")]
    public void Another_policy_alone_is_for_living_flows_unless_paths_have_their_own(string before, string after, string kind)
    {
        Config one = Good(Gateway(before)), other = Good(Gateway(after));
        var changes = GatewayChanges.Between(one.Gateways, other.Gateways);
        Assert.Equal((kind == "Kept" ? 1 : 0, kind == "Retuned" ? 1 : 0, kind == "TakenOver" ? 1 : 0, 0, 0),
            (changes.Kept.Count, changes.Retuned.Count, changes.TakenOver.Count, changes.Started.Count, changes.Ended.Count));
        if (kind == "Retuned") Assert.Equal("gateways: 1 changed for living flows too", changes.ToString());

        static string Gateway(string more) => $$"""{ "gateways": [ { "listen": "127.0.0.1:1", "to": "h:1"{{(more.Length > 0 ? ", " + more : "")}} } ] }""";
    }

    [Fact]
    public void The_order_of_members_and_how_long_to_drain_are_no_difference()
    {
        Config one = Good("""{ "gateways": [ { "listen": "127.0.0.1:1", "to": "h:1", "tcp": "on" } ] }""");
        Config other = Good("""{ "gateways": [ { "tcp": "on", "to": "h:1", "drain": 3, "listen": "127.0.0.1:1", "tlsUpstream": false } ] }""");
        Assert.Single(GatewayChanges.Between(one.Gateways, other.Gateways).Kept);
    }

    private static string Gateways(params string[] all) => "{ \"gateways\": [" + string.Join(',', all.Select(text => text.Split(' ')).Select(part =>
        $$"""{ "name": "{{part[0]}}", "listen": "127.0.0.1:{{part[1]}}", "to": "{{part[2]}}" }""")) + "] }";

    private static Config Good(string text)
    {
        Config? config = ConfigReader.Read(Encoding.UTF8.GetBytes(text), _ => { }, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!;
    }

    private static string[] Faults(string text)
    {
        Assert.Null(ConfigReader.Read(Encoding.UTF8.GetBytes(text), _ => { }, out IReadOnlyList<ConfigFault> faults));
        Assert.NotEmpty(faults);
        return [.. faults.Select(fault => fault.In("")[1..])];
    }
}
