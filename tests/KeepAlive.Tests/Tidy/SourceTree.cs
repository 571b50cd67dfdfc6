using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace KeepAlive.Tests.Tidy;

/// <summary>The working copy the tests were built from.</summary>
internal static class SourceTree
{
    private static readonly string[] NotOurs = ["/obj/", "/bin/", "/artifacts/", "/.cache/", "/.git/"];

    private static readonly Lazy<SourceFile[]> Code = new(() => [.. Below("src", "*.cs"), .. Below("tests", "*.cs"), .. Below("bench", "*.cs")]);

    public static string Root { get; } = FindRoot();

    /// <summary>Every C# file below these folders, by its path in the repository.</summary>
    public static IEnumerable<SourceFile> Files(params string[] folders) =>
        Code.Value.Where(file => folders.Any(folder => file.Path.StartsWith(folder + "/", StringComparison.Ordinal)));

    /// <summary>Every file of this kind in the repository that is written by hand.</summary>
    public static IEnumerable<SourceFile> Below(string folder, string pattern) =>
        from path in Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
        where !NotOurs.Any(part => path[Root.Length..].Contains(part, StringComparison.Ordinal))
        orderby path
        select new SourceFile(Path.GetRelativePath(Root, path), File.ReadAllText(path));

    private static string FindRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "KeepAlive.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException($"no KeepAlive.slnx above {AppContext.BaseDirectory}");
    }
}

/// <summary>A file of the repository.</summary>
internal sealed class SourceFile(string path, string text)
{
    private readonly Lazy<SyntaxNode> _syntax = new(() => CSharpSyntaxTree.ParseText(text).GetRoot());

    public string Path { get; } = path;

    public string Text { get; } = text;

    public string[] Lines => Text.Split('\n');

    /// <summary>The text as C#.</summary>
    public SyntaxNode Syntax => _syntax.Value;

    /// <summary>A complaint at a place: what is wrong, and the fix.</summary>
    public string At(SyntaxNodeOrToken node, string complaint) => At(node.GetLocation()!.GetLineSpan().StartLinePosition.Line, complaint);

    /// <summary>A complaint at a line, counted from 0.</summary>
    public string At(int line, string complaint) => $"{Path}:{line + 1}: {complaint}";
}
