using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeepAlive.Tests.Tidy;

/// <summary>
/// One word for one thing, in comments, documents and the names of types. What stands in quotes, backticks or code
/// is somebody else's word (HAProxy's `frontend`, HTTP's `keep-alive`) and is left alone.
/// </summary>
internal static partial class WordRules
{
    // The other word, and ours.
    private static readonly (string Pattern, string Ours)[] Words =
    [
        ("heartbeats?|heart beats?", "keepalive, or probe for one of them"),
        ("keep-alives?", "keepalive"),
        ("front-?ends?|front ends?", "downstream"),
        ("back-?ends?|back ends?", "upstream"),
        ("middle-boxe?s?|middle box(es)?", "middlebox"),
        ("NAT (mapping|entry|entries|state|session)s?", "binding"),
        ("half-opened|half open", "half-open"),
        ("half closed", "half-closed"),
        ("retry count|probe limit|max probes", "count"),
        ("(keepalive|probe) (packets?|messages?)", "probe"),
    ];

    private static readonly Regex Wrong = new(
        @"\b(" + string.Join('|', Words.Select((word, i) => $"(?<w{i}>{word.Pattern})")) + @")\b", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture);

    public static IEnumerable<string> InCode(SourceFile file) =>
    [
        .. from trivia in file.Syntax.DescendantTrivia()
           where trivia.IsKind(SyntaxKind.SingleLineCommentTrivia) || trivia.IsKind(SyntaxKind.MultiLineCommentTrivia)
               || trivia.IsKind(SyntaxKind.SingleLineDocumentationCommentTrivia) || trivia.IsKind(SyntaxKind.MultiLineDocumentationCommentTrivia)
           from complaint in InProse(file, trivia.ToFullString(), trivia.GetLocation().GetLineSpan().StartLinePosition.Line)
           select complaint,
        .. from type in file.Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
           from complaint in InProse(file, Capital().Replace(type.Identifier.Text, " "), type.Identifier.GetLocation().GetLineSpan().StartLinePosition.Line)
           select complaint,
    ];

    public static IEnumerable<string> InDocument(SourceFile file) => InProse(file, file.Text, 0);

    private static IEnumerable<string> InProse(SourceFile file, string prose, int firstLine)
    {
        // Blanked, not cut out, so that lines keep their numbers.
        string ours = Quoted().Replace(prose, quoted => Visible().Replace(quoted.Value, " "));
        string[] lines = ours.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (Wrong.Match(lines[i]) is not { Success: true } match) continue;
            string word = Words[Enumerable.Range(0, Words.Length).First(w => match.Groups[$"w{w}"].Success)].Ours;
            yield return file.At(firstLine + i, $"'{match.Value}' is not our word: say {word}; another's word stands in quotes or backticks");
        }
    }

    [GeneratedRegex("```.*?```|`[^`\n]*`|\"[^\"\n]*\"|<c>.*?</c>|<code>.*?</code>|cref=\"[^\"]*\"|\\]\\([^)\n]*\\)", RegexOptions.Singleline)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"[^\r\n]")]
    private static partial Regex Visible();

    // Between the words of a name.
    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex Capital();
}
