using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeepAlive.Tests.Tidy;

/// <summary>The rules of the house, each a function from code to complaints, so that each can be tried on code that breaks it.</summary>
internal static partial class Rules
{
    public const int FileLinesMax = 400;
    public const int FunctionLinesMax = 60;

    /// <summary>Which rooms a room may refer to.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Arrows = new Dictionary<string, string[]>
    {
        ["Core"] = [],
        ["Protocols"] = ["Core"],
        ["Sockets"] = ["Core"],
        ["Gateway"] = ["Core", "Protocols", "Sockets"],
        ["Paths"] = ["Core", "Protocols", "Sockets"],
        ["Linux"] = ["Core"],
        ["App"] = ["Core", "Protocols", "Sockets", "Gateway", "Linux", "Paths"],
    };

    public static IEnumerable<string> WrongArrows(string room, string project)
    {
        if (!Arrows.TryGetValue(room, out string[]? allowed)) return [$"{room}: a room that no rule knows; give it its place in {nameof(Arrows)} and ARCHITECTURE.md"];
        return XDocument.Parse(project).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')).Replace("KeepAlive.", "", StringComparison.Ordinal))
            .Where(to => !allowed.Contains(to))
            .Select(to => $"{room} refers to {to}: it may refer to {string.Join(", ", allowed)} only");
    }

    public static IEnumerable<string> LongFiles(SourceFile file)
    {
        int lines = file.Text.Split('\n').Length - 1;
        if (lines > FileLinesMax) yield return $"{file.Path}: {lines} lines, more than {FileLinesMax}: one noun, one file; split it";
    }

    public static IEnumerable<string> LongFunctions(SourceFile file) =>
        from node in file.Syntax.DescendantNodes()
        where node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax
        let span = node.GetLocation().GetLineSpan()
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines >= FunctionLinesMax
        select $"{file.Path}:{span.StartLinePosition.Line + 1}: a function of {lines} lines; keep them under {FunctionLinesMax}";

    public static IEnumerable<string> VagueNames(SourceFile file) =>
        from type in file.Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
        where VagueName().IsMatch(type.Identifier.Text)
        select $"{file.Path}: the name {type.Identifier.Text} says nothing; name it for what it owns";

    public static IEnumerable<string> LeftMarks(SourceFile file) => Matching(file, LeftMark(), "is no state to leave code in; finish it or take it out");

    public static IEnumerable<string> OtherWords(SourceFile file) =>
        Matching(file, OtherWord(), "is not our word: keepalive, downstream, upstream, probe, middlebox, binding, relay are (ARCHITECTURE.md and the code speak alike)");

    public static IEnumerable<string> Sleeps(SourceFile file) => Matching(file, Sleep(), "waits for time to pass; the fast suite has a clock of its own");

    public static IEnumerable<string> NativeCalls(SourceFile file) => Matching(file, NativeCall(), "belongs into src/KeepAlive.Linux");

    private static IEnumerable<string> Matching(SourceFile file, Regex wrong, string why)
    {
        string[] lines = file.Lines;
        for (int i = 0; i < lines.Length; i++)
            if (wrong.Match(lines[i]) is { Success: true } match) yield return $"{file.Path}:{i + 1}: '{match.Value.Trim()}' {why}";
    }

    [GeneratedRegex("(Manager|Helper|Util|Utils|Utilities|Service)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"#region|\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException")]
    private static partial Regex LeftMark();

    // "frontend and backend" are HAProxy's own words where its configuration is written.
    [GeneratedRegex(@"//.*\b(heartbeat|keep-alives?|half-open|middle box|timeout timer)\b", RegexOptions.IgnoreCase)]
    private static partial Regex OtherWord();

    [GeneratedRegex(@"Thread\.Sleep|Task\.Delay|DateTime\.(Utc)?Now|Stopwatch")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\[(LibraryImport|DllImport)\b.*")]
    private static partial Regex NativeCall();
}
