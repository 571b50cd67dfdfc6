using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace KeepAlive.Tests.Tidy;

/// <summary>The working copy the tests were built from.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every C# file below a folder, by its path in the repository.</summary>
    public static IEnumerable<SourceFile> Files(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Select(path => new SourceFile(Path.GetRelativePath(Root, path), File.ReadAllText(path)));

    private static string FindRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "KeepAlive.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new DirectoryNotFoundException($"no KeepAlive.slnx above {AppContext.BaseDirectory}");
    }
}

/// <summary>A file of code.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    public string[] Lines => Text.Split('\n');

    public SyntaxNode Syntax => CSharpSyntaxTree.ParseText(Text).GetRoot();
}
