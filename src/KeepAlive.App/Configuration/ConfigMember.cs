using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using KeepAlive.Core;

namespace KeepAlive.App.Configuration;

/// <summary>A member of an entry: an option of a command line by another spelling of its name.</summary>
internal sealed partial class ConfigMember(Option option)
{
    /// <summary>In camelCase: <c>--max-flows</c> is maxFlows.</summary>
    public string Name { get; } = NameOf(option.Name);

    /// <summary>The option's, with the names of others as they are here.</summary>
    public string Description { get; } = Renamed(option.Description ?? "");

    /// <summary>True or false; the option is given or not.</summary>
    public bool IsFlag => option.ValueType == typeof(bool);

    /// <summary>How many texts it takes: 1, or a list of so many.</summary>
    public int Count => Math.Max(1, option.Arity.MinimumNumberOfValues);

    /// <summary>Whether it takes as many texts as one likes.</summary>
    public bool IsList { get; init; }

    /// <summary>Whether it is a whole number.</summary>
    public bool IsNumber => option.ValueType == typeof(int) || option.ValueType == typeof(int?);

    /// <summary>The few texts that are allowed; empty for any.</summary>
    public IReadOnlyList<string> Choices => option.ValueType.IsEnum ? [.. Enum.GetNames(option.ValueType).Select(NameOf)] : [];

    /// <summary>What it is where it is not given; null for nothing.</summary>
    public string? Default { get; } = option.HasDefaultValue && option.ValueType != typeof(bool) ? TextOf(option.GetDefaultValue()) : null;

    /// <summary>The words of the command line that say the same.</summary>
    public IReadOnlyList<string> Words(IReadOnlyList<string> texts) => IsFlag ? [option.Name] : texts.Count == 1 && !IsList ? [$"{option.Name}={texts[0]}"] : [option.Name, .. texts];

    /// <summary>Whether a text is about this option.</summary>
    public bool IsNamedFirst(string fault) => fault.StartsWith(option.Name, StringComparison.Ordinal) && (fault.Length == option.Name.Length || fault[option.Name.Length] is ':' or ' ');

    /// <summary>Whether a text names this option at all.</summary>
    public bool IsNamed(string fault) => OptionName().Matches(fault).Any(found => found.Value == option.Name);

    /// <summary>A text about options, for whoever reads the file.</summary>
    public static string Renamed(string text) => OptionName().Replace(text, found => NameOf(found.Value));

    private static string NameOf(string option)
    {
        string[] words = option.TrimStart('-').Split('-');
        return words[0].ToLowerInvariant() + string.Concat(words[1..].Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static string? TextOf(object? value) => value switch
    {
        null => null,
        TimeSpan time => Duration.Format(time),
        Enum name => NameOf(name.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    [GeneratedRegex("--[a-z][a-z0-9]*(-[a-z0-9]+)*")]
    private static partial Regex OptionName();
}
