using System.CommandLine;
using System.Net;
using System.Text.Json;
using KeepAlive.App.Events;
using KeepAlive.App.Gateways;
using KeepAlive.App.Measure;
using KeepAlive.App.Up;
using KeepAlive.App.Web;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;

namespace KeepAlive.App.Configuration;

/// <summary>Reads the file: all of it, with every fault that it has.</summary>
internal sealed class ConfigReader
{
    /// <summary>Entries of a section.</summary>
    public const int EntriesMax = 1000;

    /// <summary>What every object of the root may have: editors look there for how to complete it.</summary>
    public const string SchemaMember = "$schema";

    /// <summary>The file of the store.</summary>
    public const string PathsMember = "paths";

    /// <summary>What that is.</summary>
    public const string PathsDescription = "The file with what is known of paths, for tcp auto and tune; KEEPALIVE_PATHS goes before it";

    private readonly ConfigText _text;
    private readonly Action<string> _warn;
    private readonly FleetConfig? _fleet;
    private readonly HashSet<IPEndPoint> _listens = [];
    private PathStore _paths = PathStore.Default;
    private WebOptions _dashboard = new();

    private ConfigReader(ConfigText text, Action<string> warn, FleetConfig? fleet) => (_text, _warn, _fleet) = (text, warn, fleet);

    /// <summary>What the bytes say; null, and the faults, unless all of it is right.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="warn">Told of what is right, but may surprise.</param>
    /// <param name="faults">What is wrong.</param>
    /// <param name="fleet">What the fleet says; null for nothing.</param>
    public static Config? Read(byte[] bytes, Action<string> warn, out IReadOnlyList<ConfigFault> faults, FleetConfig? fleet = null)
    {
        var text = new ConfigText(bytes);
        Config? config = text.Read() is { } root ? new ConfigReader(text, warn, fleet).Root(root) : null;
        faults = text.Faults;
        return faults.Count == 0 ? config : null;
    }

    /// <summary>What a policy of the fleet says; null, and the faults, unless all of it is right.</summary>
    public static FleetConfig? ReadFleet(byte[] bytes, out IReadOnlyList<ConfigFault> faults)
    {
        var text = new ConfigText(bytes);
        FleetConfig? config = text.Read() is { } root ? new ConfigReader(text, _ => { }, null).FleetRoot(root) : null;
        faults = text.Faults;
        return faults.Count == 0 ? config : null;
    }

    private Config Root(ConfigNode root)
    {
        var gateways = new List<GatewayConfig>();
        var hosts = new List<HostPolicy>();
        var events = new List<EventTarget>();
        List<ConfigNamed> members = Members(root, "the file", [SchemaMember, .. ConfigSection.All.Select(s => s.Name), ConfigSection.Dashboard.Name, PathsMember], _ => null);
        if (members.Find(m => m.Name == PathsMember) is { } paths) ReadPaths(paths.Value);
        foreach (ConfigNamed member in members)
        {
            if (member.Name == ConfigSection.Gateways.Name) Each(ConfigSection.Gateways, member.Value, gateways, Gateway);
            if (member.Name == ConfigSection.Events.Name) Each(ConfigSection.Events, member.Value, events, Event);
            if (member.Name == ConfigSection.Hosts.Name) Each(ConfigSection.Hosts, member.Value, hosts, Host);
        }

        if (members.Find(m => m.Name == ConfigSection.Dashboard.Name) is { } dashboard) ReadDashboard(dashboard.Value);
        return new Config(gateways, [.. _fleet?.Hosts ?? [], .. hosts], events, _paths) { Dashboard = _dashboard };
    }

    private FleetConfig FleetRoot(ConfigNode root)
    {
        var gateways = new List<GatewayRule>();
        var hosts = new List<HostPolicy>();
        var measures = new List<MeasureTarget>();
        foreach (ConfigNamed member in Members(root, "a policy of the fleet", [SchemaMember, ConfigSection.GatewayRules.Name, ConfigSection.Hosts.Name, ConfigSection.Measures.Name], _ => null))
        {
            if (member.Name == ConfigSection.Measures.Name) Each(ConfigSection.Measures, member.Value, measures, entry => MeasureTargetArguments.Read(ConfigSection.Measures.Parse(entry.Words)));
            if (member.Name == ConfigSection.GatewayRules.Name) Each(ConfigSection.GatewayRules, member.Value, gateways, entry => new GatewayRule(entry.Name.Length > 0 ? entry.Name : "*", entry));
            if (member.Name == ConfigSection.Hosts.Name) Each(ConfigSection.Hosts, member.Value, hosts, Host);
        }

        return new FleetConfig(gateways, hosts, measures);
    }

    private void ReadPaths(ConfigNode value)
    {
        if (value.Kind != JsonTokenType.String || !Path.IsPathRooted(value.Text)) _text.Fault(value.At, $"'{PathsMember}' is the whole path of a file, such as /var/lib/keepalive/paths.json, not {Texts.Printable(value.KindName)}");
        else if (!PathStore.IsNamedOutside) _paths = new PathStore(value.Text);
    }

    private void ReadDashboard(ConfigNode value)
    {
        var entry = new ConfigEntry(ConfigSection.Dashboard, value);
        foreach (ConfigNamed member in Members(value, $"'{ConfigSection.Dashboard.Name}'", [.. ConfigSection.Dashboard.Members.Select(m => m.Name)], _ => null)) entry.Add(member, _text);
        var faults = new List<string>();
        _dashboard = DashboardArguments.Read(ConfigSection.Dashboard.Parse(entry.Words), entry, _warn, faults);
        foreach (string fault in faults) entry.Fault(fault, _text);
    }

    // The members of an object that may be there, each once.
    private List<ConfigNamed> Members(ConfigNode node, string of, IReadOnlyList<string> known, Func<string, string?> whyElsewhere)
    {
        var good = new List<ConfigNamed>();
        if (node.Kind != JsonTokenType.StartObject) _text.Fault(node.At, $"{of} is an object, in braces, not {node.KindName}");
        foreach (ConfigNamed member in node.Members)
        {
            if (good.Any(other => other.Name == member.Name)) _text.Fault(member.At, $"'{member.Name}' is here twice: keep one of them");
            else if (known.Contains(member.Name)) good.Add(member);
            else if (whyElsewhere(member.Name) is { } why) _text.Fault(member.At, $"'{member.Name}' {why}: leave it out");
            else _text.Fault(member.At, $"'{Texts.Printable(member.Name)}' is not known in {of}: {NearestName.Advice(member.Name, known)}");
        }

        return good;
    }

    private void Each<T>(ConfigSection section, ConfigNode list, List<T> all, Func<ConfigEntry, T?> read)
    {
        if (list.Kind != JsonTokenType.StartArray) _text.Fault(list.At, $"'{section.Name}' is a list, in brackets, not {list.KindName}");
        if (list.Items.Count > EntriesMax) _text.Fault(list.At, $"'{section.Name}' has {list.Items.Count} entries, more than {EntriesMax}");
        var names = new HashSet<string>();
        foreach (ConfigNode item in list.Items.Take(EntriesMax))
        {
            ConfigEntry entry = Entry(section, item);
            if (item.Kind != JsonTokenType.StartObject) continue;
            if (entry.Name.Length > 0 && !names.Add(entry.Name)) _text.Fault(entry.NameAt, $"'{Texts.Printable(entry.Name)}' is the name of another one of '{section.Name}': give each its own 'name'");
            if (read(entry) is { } value) all.Add(value);
        }
    }

    private ConfigEntry Entry(ConfigSection section, ConfigNode node)
    {
        List<ConfigNamed> members = Members(node, $"an entry of '{section.Name}'", [ConfigEntry.NameMember, .. section.Members.Select(m => m.Name)], section.WhyElsewhere);
        var entry = new ConfigEntry(section, node);
        foreach (ConfigNamed member in members) entry.Add(member, _text);
        foreach (string required in section.Required)
        {
            if (node.Kind == JsonTokenType.StartObject && members.All(m => m.Name != required))
                _text.Fault(node.At, $"'{required}' is missing: {section.Members.Single(m => m.Name == required).Description}");
        }

        return entry;
    }

    private GatewayConfig? Gateway(ConfigEntry entry)
    {
        if (_fleet?.For(entry.Name) is { } rule) entry.Override(rule.Entry);
        // So that what is wrong with the rest is told too.
        string[] instead = [.. ConfigSection.Gateways.Required.Where(r => !entry.Has(r)).Select(r => r == "listen" ? "--listen=127.0.0.1:0" : "--to=localhost:1")];
        ParseResult parsed = ConfigSection.Gateways.Parse([.. entry.Words, .. instead]);
        bool isGood = GatewayCommand.TryRead(parsed, out List<GatewayOptions> all, out _, out List<string> faults);
        foreach (string fault in faults) entry.Fault(fault, _text);
        if (!isGood || all is not [GatewayOptions options]) return null;
        if (options.Listen.Port != 0 && !_listens.Add(options.Listen)) entry.Fault($"--listen: {options.Listen} is where another gateway listens: give each its own", _text);
        try
        {
            options = LegArguments.Apply(parsed, options, warning => _warn($"{entry.Name}: {warning}"));
        }
        catch (TlsFileException e)
        {
            entry.Fault(e.Message, _text);
            return null;
        }

        bool usesPaths = TuneArguments.UsesPaths(parsed);
        return new GatewayConfig(entry.Name, options, entry.Fingerprint(LegArguments.Files(parsed), usesPaths) + (usesPaths ? _paths.Path : ""), parsed);
    }

    private HostPolicy? Host(ConfigEntry entry)
    {
        var faults = new List<string>();
        HostPolicy policy = HostArguments.Read(entry.Name, ConfigSection.Hosts.Parse(entry.Words), faults);
        foreach (string fault in faults) entry.Fault(fault, _text);
        return policy;
    }

    private EventTarget? Event(ConfigEntry entry)
    {
        var faults = new List<string>();
        EventTarget? target = EventArguments.Read(entry.Name, ConfigSection.Events.Parse(entry.Words), faults);
        foreach (string fault in faults) entry.Fault(fault, _text);
        return target;
    }
}
