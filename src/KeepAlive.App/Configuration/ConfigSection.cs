using System.CommandLine;
using KeepAlive.App.Gateways;

namespace KeepAlive.App.Configuration;

/// <summary>
/// A list of entries in the file, or one entry. What an entry may say is told by the options of a command line, and read by it: so a
/// member means what the option means, whatever is added to it.
/// </summary>
internal sealed class ConfigSection
{
    private static readonly ParserConfiguration Literally = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    private readonly Command _command;
    private readonly IReadOnlyDictionary<string, string> _elsewhere;

    private ConfigSection(string name, string description, Command command, IReadOnlyList<string> required, IReadOnlyDictionary<string, string> elsewhere, string? list = null)
    {
        (Name, Description, Required, _command, _elsewhere) = (name, description, required, command, elsewhere);
        Members = [.. command.Options.Select(option => new ConfigMember(option) { IsList = option.Name == list }).Where(member => !elsewhere.ContainsKey(member.Name))];
    }

    /// <summary>Gateways, each by the options of <c>keepalive gateway</c>.</summary>
    public static ConfigSection Gateways { get; } = new("gateways", "Gateways: who connects to them is relayed to a server and kept alive", GatewayCommand.Create(), ["listen", "to"],
        Redirection.Options.Select(option => new ConfigMember(option).Name).ToDictionary(name => name, _ => "is for 'keepalive gateway' alone, whose rules end with it")
            .Append(new("json", "is for 'keepalive up --json', not for one gateway")).ToDictionary());

    /// <summary>What a policy of the fleet may say of gateways: by which names they are known, and how their flows are kept alive.</summary>
    public static ConfigSection GatewayRules { get; } = new("gateways", "Gateways, by their names (* and ? stand for any characters; the first that fits): goes before what their machine says", GatewayCommand.CreateRule(), [],
        new Dictionary<string, string>());

    /// <summary>Policies for the connections of other programs.</summary>
    public static ConfigSection Hosts { get; } = new("hosts", "Host policies: connections of this machine's programs, the first that matches; others are not touched", HostArguments.Create(), ["spec"],
        new Dictionary<string, string>());

    /// <summary>What a policy of the fleet wants measured.</summary>
    public static ConfigSection Measures { get; } = new("measure", "Paths that one machine of each network measures, to a reflector, for all of them", MeasureTargetArguments.Create(), ["to"], new Dictionary<string, string>());

    /// <summary>Where events go.</summary>
    public static ConfigSection Events { get; } = new("events", "Where events go, besides stdout: files and web addresses", EventArguments.Create(), [], new Dictionary<string, string>());

    /// <summary>The page: not a list but one entry, without a name.</summary>
    public static ConfigSection Dashboard { get; } = new("dashboard", "The page and its API", DashboardArguments.Create(), [], new Dictionary<string, string>(), DashboardArguments.HostsName);

    /// <summary>The lists.</summary>
    public static IReadOnlyList<ConfigSection> All { get; } = [Gateways, Hosts, Events];

    public string Name { get; }

    public string Description { get; }

    /// <summary>Members that an entry cannot do without.</summary>
    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<ConfigMember> Members { get; }

    /// <summary>Why a member that the command line has is not here; null when it is not one of those.</summary>
    public string? WhyElsewhere(string member) => _elsewhere.GetValueOrDefault(member);

    public ParseResult Parse(IEnumerable<string> words) => _command.Parse([.. words], Literally);
}
