using System.Text.RegularExpressions;
using KeepAlive.Tests.Tidy;

namespace KeepAlive.Tests.App;

/// <summary>What lies in <c>deploy/</c> speaks of things that there are. Nothing of it is applied to a cluster by any test.</summary>
public sealed partial class DeployTests
{
    // The system's own, or the runtime's.
    private static readonly string[] Others = ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "DOTNET_EnableDiagnostics"];

    public static TheoryData<string> Manifests => [.. Directory.GetFiles(Path.Combine(SourceTree.Root, "deploy"), "*.*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(SourceTree.Root, f))];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Every_variable_and_option_is_one_of_the_program(string file)
    {
        string text = Read(file), source = string.Concat(SourceTree.Files("src/KeepAlive.App").Select(f => f.Text));
        foreach (Match variable in Variable().Matches(text)) Assert.True(source.Contains(variable.Value, StringComparison.Ordinal) || Others.Contains(variable.Value), $"{file}: no code of the program asks for {variable.Value}");
        foreach (Match option in Option().Matches(text)) Assert.True(source.Contains($"\"{option.Value}\"", StringComparison.Ordinal), $"{file}: the program has no {option.Value}");
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Paths_are_those_of_the_unit(string file)
    {
        string unit = Read("eng/keepalive.service");
        foreach (Match path in OurPath().Matches(Read(file)))
        {
            string folder = path.Value.TrimEnd('.');
            bool isKnown = folder.StartsWith("/etc/keepalive", StringComparison.Ordinal) || folder.StartsWith("/var/lib/keepalive", StringComparison.Ordinal) || folder == "/run/keepalive" || folder == "/usr/local/bin/keepalive";
            Assert.True(isKnown, $"{file}: {folder} is nowhere else");
        }

        foreach (string line in (string[])["ConfigurationDirectory=keepalive", "StateDirectory=keepalive", "RuntimeDirectory=keepalive", "/usr/local/bin/keepalive up --config /etc/keepalive/keepalive.json"]) Assert.Contains(line, unit, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deploy/kubernetes/fleet.yaml", "Namespace", "ConfigMap")]
    [InlineData("deploy/kubernetes/hosts.yaml", "ConfigMap", "DaemonSet")]
    [InlineData("deploy/kubernetes/gateways.yaml", "ConfigMap", "Deployment", "Service")]
    public void Manifests_hold_what_is_said_of_them(string file, params string[] kinds)
    {
        string[] documents = Read(file).Split("\n---\n");
        string?[] found = [.. documents.Select(d => Kind().Match(d)).Where(m => m.Success).Select(m => m.Groups[1].Value)];
        Assert.Equal(kinds, found);
        foreach (string line in Read(file).Split('\n'))
        {
            Assert.DoesNotContain('\t', line);
            Assert.True(line.TakeWhile(c => c == ' ').Count() % 2 == 0, $"{file}: '{line}' is indented by an odd number");
        }
    }

    [Fact]
    public void Hosts_have_the_rights_of_the_unit_but_for_its_ports()
    {
        string[] unit = [.. Capabilities().Match(Read("eng/keepalive.service")).Groups[1].Value.Split(' ').Select(c => c["CAP_".Length..]).Where(c => c != "NET_BIND_SERVICE").Order()];
        string[] hosts = [.. Added().Match(Read("deploy/kubernetes/hosts.yaml")).Groups[1].Value.Split(", ").Select(c => c.Trim('"')).Order()];
        Assert.Equal(unit, hosts);
        Assert.DoesNotMatch(Added(), Read("deploy/kubernetes/gateways.yaml"));
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, file));

    [GeneratedRegex(@"\b(KEEPALIVE_[A-Z_]+|[A-Z]+_DIRECTORY|DOTNET_\w+)\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"(?<=[ ""])--(config|fleet|machine|password|token|page|log)[a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex(@"(?<![\w.-])/(etc|var/lib|run|usr/local/bin)/keepalive[\w.-]*")]
    private static partial Regex OurPath();

    [GeneratedRegex(@"(?m)^kind: (\w+)$")]
    private static partial Regex Kind();

    [GeneratedRegex(@"(?m)^CapabilityBoundingSet=(.+)$")]
    private static partial Regex Capabilities();

    [GeneratedRegex(@"(?m)^ +add: \[(.+)\]$")]
    private static partial Regex Added();
}
