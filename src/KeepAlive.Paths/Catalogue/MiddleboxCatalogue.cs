using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepAlive.Paths.Catalogue;

/// <summary>The known middleboxes: <c>middleboxes.json</c> beside this file, which is in the program.</summary>
internal static class MiddleboxCatalogue
{
    private const string Resource = "KeepAlive.Paths.Catalogue.middleboxes.json";

    private static readonly Lazy<IReadOnlyList<KnownMiddlebox>> Loaded = new(Load);

    /// <summary>All of them, those with the shortest timeout first.</summary>
    public static IReadOnlyList<KnownMiddlebox> All => Loaded.Value;

    /// <summary>The one of that name, in any case; null when there is none.</summary>
    public static KnownMiddlebox? Find(string name) => All.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a catalogue: a JSON array of objects, all members checked.</summary>
    /// <exception cref="FormatException">It is not one; the message names the entry and every fault.</exception>
    internal static IReadOnlyList<KnownMiddlebox> Read(Stream json)
    {
        Entry[] entries;
        try
        {
            entries = JsonSerializer.Deserialize(json, CatalogueJson.Default.EntryArray) ?? throw new FormatException("the catalogue is null");
        }
        catch (JsonException e)
        {
            throw new FormatException($"the catalogue: {e.Message}", e);
        }

        string[] faults = [.. entries.SelectMany(Faults), .. entries.CountBy(e => e.Name).Where(n => n.Value > 1).Select(n => $"{n.Key}: named twice")];
        if (faults.Length > 0) throw new FormatException(string.Join("; ", faults));
        return [.. entries.Select(ToMiddlebox).OrderBy(m => m.IdleTimeout).ThenBy(m => m.Name, StringComparer.Ordinal)];
    }

    private static IReadOnlyList<KnownMiddlebox> Load()
    {
        using Stream json = typeof(MiddleboxCatalogue).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not in the program");
        return Read(json);
    }

    private static IEnumerable<string> Faults(Entry entry)
    {
        if (entry.Name.Length == 0 || entry.Name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            yield return $"'{entry.Name}': a name is lower-case letters, digits and hyphens";
        if (entry.Title.Length == 0) yield return $"{entry.Name}: no title";
        if (entry.Source.Length == 0) yield return $"{entry.Name}: no source";
        if (entry.IdleSeconds < 1) yield return $"{entry.Name}: idleSeconds {entry.IdleSeconds} is below 1";
        if (entry.LeastSeconds < 1 || entry.LeastSeconds > entry.IdleSeconds) yield return $"{entry.Name}: leastSeconds {entry.LeastSeconds} is not 1 to {entry.IdleSeconds}";
        if (entry.MostSeconds < entry.IdleSeconds) yield return $"{entry.Name}: mostSeconds {entry.MostSeconds} is below {entry.IdleSeconds}";
    }

    private static KnownMiddlebox ToMiddlebox(Entry entry)
    {
        static TimeSpan? seconds(int? value) => value is { } given ? TimeSpan.FromSeconds(given) : null;
        return new KnownMiddlebox(
            entry.Name, entry.Title, TimeSpan.FromSeconds(entry.IdleSeconds), seconds(entry.LeastSeconds), seconds(entry.MostSeconds),
            entry.Expiry, entry.Refresh, entry.Note, entry.Source, entry.Checked, entry.Weak);
    }

    /// <summary>An object of the file.</summary>
    internal sealed record Entry
    {
        public required string Name { get; init; }

        public required string Title { get; init; }

        public required int IdleSeconds { get; init; }

        public int? LeastSeconds { get; init; }

        public int? MostSeconds { get; init; }

        public required ExpiryBehaviour Expiry { get; init; }

        public required BindingRefresh Refresh { get; init; }

        public string? Note { get; init; }

        public required string Source { get; init; }

        public required DateOnly Checked { get; init; }

        public bool Weak { get; init; }
    }
}

/// <summary>Compiled ahead: nothing of the catalogue is found by reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(MiddleboxCatalogue.Entry[]))]
internal sealed partial class CatalogueJson : JsonSerializerContext;
