using System.Globalization;
using System.Text.Json;

namespace KeepAlive.App.Configuration;

/// <summary>An entry of a section as it is read: the words of a command line that say the same.</summary>
internal sealed class ConfigEntry(ConfigSection section, ConfigNode node)
{
    /// <summary>What an entry is called; no option.</summary>
    public const string NameMember = "name";

    // Changing them changes nothing about the flows.
    private static readonly string[] Outside = ["drain", "noCheck"];

    // Flows get them while they live.
    private static readonly string[] Policy = ["tcp", "userTimeout", "probe", "clientProbe"];

    private readonly Dictionary<ConfigMember, (int At, IReadOnlyList<string> Words)> _members = [];
    private readonly List<ConfigMember> _bad = [];
    private (string Text, int At)? _name;

    /// <summary>The name it was given, or what it is told by: where it listens, what it matches.</summary>
    public string Name => _name?.Text ?? string.Join(' ', _members.Where(m => IsTelling(m.Key.Name)).SelectMany(m => m.Value.Words).Select(word => word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]));

    public int NameAt => _name?.At ?? node.At;

    /// <summary>All that were right.</summary>
    public IEnumerable<string> Words => _members.Values.SelectMany(m => m.Words);

    /// <summary>Whether a member is there, and right by itself.</summary>
    public bool Has(string name) => _members.Keys.Any(m => m.Name == name);

    /// <summary>Reads a member by itself.</summary>
    public void Add(ConfigNamed named, ConfigText text)
    {
        if (named.Name == NameMember)
        {
            if (named.Value.Kind == JsonTokenType.String && named.Value.Text.Length is > 0 and <= 64 && !named.Value.Text.Any(char.IsControl)) _name = (named.Value.Text, named.Value.At);
            else text.Fault(named.Value.At, $"'{NameMember}' is a text of 1 to 64 characters, not {Texts.Printable(named.Value.KindName)}");
            return;
        }

        ConfigMember member = section.Members.Single(m => m.Name == named.Name);
        string[] faults = Read(member, named.Value, out IReadOnlyList<string> words);
        foreach (string fault in faults) text.Fault(named.Value.At, fault);
        if (faults.Length > 0) _bad.Add(member);
        else if (words.Count > 0) _members.Add(member, (named.Value.At, words));
    }

    /// <summary>What another entry says goes before what this one does.</summary>
    public void Override(ConfigEntry other)
    {
        foreach ((ConfigMember theirs, (_, IReadOnlyList<string> words)) in other._members)
        {
            ConfigMember ours = section.Members.Single(m => m.Name == theirs.Name);
            _bad.Remove(ours);
            _members[ours] = (_members.TryGetValue(ours, out (int At, IReadOnlyList<string>) here) ? here.At : node.At, words);
        }
    }

    /// <summary>
    /// Something is wrong that several members may have a part in: told where the first stands that it names. Not where one of them
    /// is wrong by itself, which has been told.
    /// </summary>
    public void Fault(string fault, ConfigText text)
    {
        if (_bad.Any(member => member.IsNamed(fault))) return;
        int at = _members.FirstOrDefault(m => m.Key.IsNamedFirst(fault)) is { Key: not null } found ? found.Value.At : node.At;
        text.Fault(at, ConfigMember.Renamed(fault));
    }

    /// <summary>All that it was made of, with or without the policy: another text is another thing.</summary>
    public string Fingerprint(IEnumerable<string> files, bool hasPolicy = true) => string.Join('\n',
        [.. _members.Where(m => !Outside.Contains(m.Key.Name) && (hasPolicy || !Policy.Contains(m.Key.Name))).OrderBy(m => m.Key.Name, StringComparer.Ordinal).SelectMany(m => m.Value.Words),
         .. files.Select(file => string.Create(CultureInfo.InvariantCulture, $"{file} {File.GetLastWriteTimeUtc(file).Ticks}"))]);

    // What is wrong with a value; its words, none for a flag that is false.
    private string[] Read(ConfigMember member, ConfigNode value, out IReadOnlyList<string> words)
    {
        words = [];
        if (TextsOf(member, value) is not { } texts) return [$"'{member.Name}' is {Expected(member)}, not {value.KindName}"];
        if (texts.Count == 0) return [];
        if (member.Choices.Count > 0 && !member.Choices.Contains(texts[0])) return [$"{member.Name}: '{texts[0]}' is not known: give {string.Join(", ", member.Choices)}"];
        words = member.Words(texts);
        // The library may tell of one value several times.
        return [.. section.Parse(words).Errors.Select(error => ConfigMember.Renamed(error.Message)).Distinct()];
    }

    private bool IsTelling(string name) => section == ConfigSection.Gateways ? name == "listen"
        : section == ConfigSection.Events ? name is "file" or "webhook" : name is "process" or "user" or "cgroup" or "remote" or "port";

    // None for a flag that is false; null for what does not fit.
    private static IReadOnlyList<string>? TextsOf(ConfigMember member, ConfigNode value) => value.Kind switch
    {
        JsonTokenType.True when member.IsFlag => [value.Text],
        JsonTokenType.False when member.IsFlag => [],
        JsonTokenType.String or JsonTokenType.Number when !member.IsFlag && !member.IsList && member.Count == 1 && value.Text.Length > 0 => [value.Text],
        // A text with a dash before it would be an option: a file can be named ./-x.
        JsonTokenType.StartArray when (member.IsList || (member.Count > 1 && value.Items.Count == member.Count))
            && value.Items.All(i => i.Kind == JsonTokenType.String && i.Text.Length > 0 && i.Text[0] != '-') => [.. value.Items.Select(i => i.Text)],
        _ => null,
    };

    private static string Expected(ConfigMember member) => member.IsFlag ? "true or false"
        : member.IsList ? $"a list of texts, none beginning with a dash ({member.Description})"
        : member.Count > 1 ? $"a list of {member.Count} texts, none beginning with a dash ({member.Description})"
        : $"a text or a number, and not empty ({member.Description})";
}
