using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace KeepAlive.Tests.Tidy;

/// <summary>The rules on the page's files, and each of them on a file that breaks it.</summary>
public sealed partial class PageTests
{
    private const string Folder = "src/KeepAlive.App/Page";

    private static SourceFile[] Ours => [.. from pattern in (string[])["*.js", "*.css", "*.html"] from file in SourceTree.Below(Folder, pattern) where !file.Path.Contains("/vendor/", StringComparison.Ordinal) select file];

    [Fact]
    public void No_text_becomes_markup() => Holds(PageRules.Markup);

    [Fact]
    public void Nothing_is_inline() => Holds(PageRules.Inline);

    [Fact]
    public void Nothing_comes_from_elsewhere() => Holds(PageRules.Elsewhere);

    [Fact]
    public void Files_are_short() => Holds(CodeRules.LongFiles);

    [Fact]
    public void Every_colour_can_be_read_light_and_dark()
    {
        string[] complaints = [.. PageRules.Contrast(Ours.Single(file => file.Path.EndsWith("/colours.css", StringComparison.Ordinal)))];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints));
    }

    [Fact]
    public void The_plotting_library_is_what_its_package_has()
    {
        string folder = Path.Combine(SourceTree.Root, Folder, "vendor"), notes = File.ReadAllText(Path.Combine(folder, "README.md"));
        string[] recorded = [.. Sum().Matches(notes).Select(m => $"{m.Groups[1].Value}  {m.Groups[2].Value}")];
        string[] there = [.. Directory.EnumerateFiles(Path.Combine(folder, "uPlot")).Order(StringComparer.Ordinal).Select(file => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}  {Path.GetFileName(file)}")];
        Assert.Equal(recorded, there);
        Assert.Equal(3, there.Length);
    }

    [Theory]
    [InlineData("e.innerHTML = text;", 1)]
    [InlineData("e.insertAdjacentHTML(\"beforeend\", text);", 1)]
    [InlineData("const f = new Function(\"a\");", 1)]
    [InlineData("// no innerHTML here", 0)]
    [InlineData("e.textContent = text;", 0)]
    public void Markup(string line, int complaints) => Assert.Equal(complaints, PageRules.Markup(new SourceFile("a.js", line)).Count());

    [Theory]
    [InlineData("<p style=\"color: red\">", 1)]
    [InlineData("<script>alert(1)</script>", 1)]
    [InlineData("<body onload=\"f()\">", 1)]
    [InlineData("<script type=\"module\" src=\"/page/page.js\"></script>", 0)]
    public void Inline(string line, int complaints) => Assert.Equal(complaints, PageRules.Inline(new SourceFile("a.html", line)).Count());

    [Theory]
    [InlineData("@import \"https://fonts.example.com/a.css\";", 1)]
    [InlineData("const SVG = \"http://www.w3.org/2000/svg\";", 0)]
    public void Elsewhere(string line, int complaints) => Assert.Equal(complaints, PageRules.Elsewhere(new SourceFile("a.css", line)).Count());

    [Fact]
    public void Contrast_is_that_of_the_standard()
    {
        Assert.Equal(21, PageRules.ContrastOf("#000000", "#ffffff"), 3);
        Assert.Equal(4.54, PageRules.ContrastOf("#767676", "#ffffff"), 2); // the lightest grey that passes on white
    }

    private static void Holds(Func<SourceFile, IEnumerable<string>> rule)
    {
        Assert.NotEmpty(Ours);
        string[] complaints = [.. Ours.SelectMany(rule)];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints));
    }

    [GeneratedRegex("^([0-9a-f]{64})  (.+)$", RegexOptions.Multiline)]
    private static partial Regex Sum();
}
