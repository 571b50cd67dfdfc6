namespace KeepAlive.Tests.Tidy;

/// <summary>Code in the documents for .NET programs is that of the samples, which the system tests build of the packages and run.</summary>
public sealed class SnippetTests
{
    [Fact]
    public void Every_snippet_stands_in_a_sample()
    {
        string[][] samples = [.. SourceTree.Below("samples", "*.cs").Select(file => file.Lines.Select(Bare).Where(line => line.Length > 0).ToArray())];
        SourceFile[] documents = [.. SourceTree.Below("docs/dotnet", "*.md"), .. SourceTree.Below("src", "README.md")];
        string[] missing = [.. from document in documents from snippet in Snippets(document) where !samples.Any(sample => Holds(sample, snippet.Lines)) select document.At(snippet.Line, $"this snippet stands in no sample: {snippet.Lines[0]}")];
        Assert.NotEmpty(documents.SelectMany(Snippets));
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    [Theory]
    [InlineData("a();\nb();", true)]
    [InlineData("b();\n\nc(); // and why", true)]
    [InlineData("a();\nc();", false)]
    [InlineData("d();", false)]
    [InlineData("x();", true)]
    public void A_snippet_is_whole_lines_or_their_ends(string snippet, bool stands)
    {
        string[] sample = ["a();", "b();", "c();", "if (y) x();"];
        Assert.Equal(stands, Holds(sample, Snippets(new SourceFile("page.md", $"text\n```csharp\n{snippet}\n```\n")).Single().Lines));
    }

    private static bool Holds(string[] sample, string[] snippet) => Enumerable.Range(0, Math.Max(0, sample.Length - snippet.Length + 1))
        .Any(at => snippet.Index().All(line => sample[at + line.Index].EndsWith(line.Item, StringComparison.Ordinal)));

    private static IEnumerable<(int Line, string[] Lines)> Snippets(SourceFile document)
    {
        string[] lines = document.Lines;
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] != "```csharp") continue;
            int end = Array.IndexOf(lines, "```", i);
            yield return (i + 1, [.. lines[(i + 1)..end].Select(Bare).Where(line => line.Length > 0)]);
            i = end;
        }
    }

    // Without what is at its beginning, and without a comment behind it.
    private static string Bare(string line) => line.Split(" //")[0].Trim();
}
