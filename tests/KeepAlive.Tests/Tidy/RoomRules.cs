using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeepAlive.Tests.Tidy;

/// <summary>Which room may know which, and what it may bring in from outside.</summary>
internal static class RoomRules
{
    /// <summary>Which rooms a room may refer to. Gateway, Paths, Linux and Fleet never know each other.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Arrows = new Dictionary<string, string[]>
    {
        ["Core"] = [],
        ["Protocols"] = ["Core"],
        ["Sockets"] = ["Core"],
        ["Programs"] = ["Core", "Sockets", "Analyzers"],
        ["Streams"] = ["Core", "Protocols", "Programs"],
        ["Hosting"] = ["Core", "Sockets", "Programs"],
        ["Analyzers"] = [],
        ["Gateway"] = ["Core", "Protocols", "Sockets"],
        ["Paths"] = ["Core", "Protocols", "Sockets"],
        ["Linux"] = ["Core", "Sockets"],
        ["Fleet"] = ["Core", "Sockets"],
        ["App"] = ["Core", "Protocols", "Sockets", "Gateway", "Paths", "Linux", "Fleet"],
    };

    // Other programs' sockets cannot be reached but by system calls; neither can splice(2), without which a relay copies.
    private static readonly string[] NativeRooms = ["src/KeepAlive.Linux/", "src/KeepAlive.Gateway/Epoll/"];

    public static IEnumerable<string> WrongArrows(SourceFile project)
    {
        string room = Room(project);
        if (!Arrows.TryGetValue(room, out string[]? allowed))
            return [project.At(0, $"{room} is a room that no rule knows: give it its place in {nameof(RoomRules)}.{nameof(Arrows)} and in ARCHITECTURE.md")];
        return from reference in Items(project, "ProjectReference")
               let to = Path.GetFileNameWithoutExtension(reference.Name.Replace('\\', '/')).Replace("KeepAlive.", "", StringComparison.Ordinal)
               where !allowed.Contains(to)
               select project.At(reference.Line, $"{room} refers to {to}: it may refer to {(allowed.Length == 0 ? "no other room" : string.Join(", ", allowed) + " only")}; hand it in from App");
    }

    public static IEnumerable<string> WrongPackages(SourceFile project) => Room(project) == "App" ? [] :
        from package in Items(project, "PackageReference")
        where !package.IsPrivate && !package.Name.StartsWith("System.", StringComparison.Ordinal)
        select project.At(package.Line, $"{Room(project)} brings in {package.Name}: libraries stand on the base class library alone; use it in App, or mark a build tool PrivateAssets=\"all\"");

    public static IEnumerable<string> NotInSolution(SourceFile project, string solution) =>
        solution.Contains($"\"{project.Path}\"", StringComparison.Ordinal) ? []
            : [project.At(0, "is not in KeepAlive.slnx, so nothing builds or tests it: add it")];

    public static IEnumerable<string> NativeCalls(SourceFile file) => NativeRooms.Any(room => file.Path.StartsWith(room, StringComparison.Ordinal)) ? [] :
        from attribute in file.Syntax.DescendantNodes().OfType<AttributeSyntax>()
        where attribute.Name.ToString() is "LibraryImport" or "DllImport" or "LibraryImportAttribute" or "DllImportAttribute"
        select file.At(attribute, $"{attribute.Name} calls native code: use the base class library, or move it to the room for other programs' sockets, or to the relay's engine");

    private static string Room(SourceFile project) => Path.GetFileNameWithoutExtension(project.Path).Replace("KeepAlive.", "", StringComparison.Ordinal);

    private static IEnumerable<(string Name, bool IsPrivate, int Line)> Items(SourceFile project, string kind) =>
        from item in XDocument.Parse(project.Text, LoadOptions.SetLineInfo).Descendants(kind)
        let line = ((System.Xml.IXmlLineInfo)item).LineNumber - 1
        select ((string)item.Attribute("Include")!, (string?)item.Attribute("PrivateAssets") == "all", line);
}
