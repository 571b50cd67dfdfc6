using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeepAlive.Tests.Tidy;

/// <summary>Sizes, and what code must not contain.</summary>
internal static partial class CodeRules
{
    public const int FileLinesMax = 400;
    public const int FunctionLinesMax = 59;

    private const string LeftException = "NotImplementedException";

    public static IEnumerable<string> LongFiles(SourceFile file)
    {
        int lines = file.Lines.Length - (file.Text.EndsWith('\n') ? 1 : 0);
        if (lines > FileLinesMax) yield return file.At(FileLinesMax, $"a file of {lines} lines, more than {FileLinesMax}: one noun, one file; move a noun out");
    }

    public static IEnumerable<string> LongFunctions(SourceFile file) =>
        from node in file.Syntax.DescendantNodes()
        where node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax or AnonymousFunctionExpressionSyntax
        let span = node.GetLocation().GetLineSpan()
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines > FunctionLinesMax
        select file.At(node, $"a function of {lines} lines, more than {FunctionLinesMax}: give its parts names");

    public static IEnumerable<string> VagueNames(SourceFile file) =>
        from type in file.Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
        where VagueName().IsMatch(type.Identifier.Text)
        select file.At(type.Identifier, $"the name {type.Identifier.Text} says nothing: name it for what it owns");

    public static IEnumerable<string> LeftMarks(SourceFile file) =>
    [
        .. from comment in file.Syntax.DescendantTrivia()
           let mark = comment.IsKind(SyntaxKind.SingleLineCommentTrivia) || comment.IsKind(SyntaxKind.MultiLineCommentTrivia) || comment.HasStructure
               ? LeftMark().Match(comment.ToFullString()) : Match.Empty
           where mark.Success
           select file.At(comment.GetLocation().GetLineSpan().StartLinePosition.Line, $"{mark.Value}: finish it or take it out"),
        .. from trivia in file.Syntax.DescendantTrivia()
           where trivia.IsKind(SyntaxKind.RegionDirectiveTrivia)
           select file.At(trivia.GetLocation().GetLineSpan().StartLinePosition.Line, "#region: a file that needs regions holds several nouns; split it"),
        .. from name in file.Syntax.DescendantNodes().OfType<IdentifierNameSyntax>()
           where name.Identifier.Text == LeftException
           select file.At(name, $"{LeftException}: finish it or take it out"),
    ];

    public static IEnumerable<string> Waits(SourceFile file) =>
        from name in file.Syntax.DescendantNodes().OfType<IdentifierNameSyntax>()
        let call = name.Parent is MemberAccessExpressionSyntax { Expression: var left } access && access.Name == name ? $"{left}.{name}" : name.ToString()
        where Wait().IsMatch(call)
        select file.At(name, $"{call} depends on time passing: the fast suite has a clock of its own; hand in the time");

    [GeneratedRegex("(Manager|Helper|Helpers|Util|Utils|Utility|Utilities|Service|Services)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex LeftMark();

    [GeneratedRegex(@"^(.*\.)?(Thread\.Sleep|Task\.Delay|DateTime\.Now|DateTime\.UtcNow|DateTimeOffset\.Now|DateTimeOffset\.UtcNow|Stopwatch)$")]
    private static partial Regex Wait();
}
