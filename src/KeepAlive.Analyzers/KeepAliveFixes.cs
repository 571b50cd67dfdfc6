using System.Collections.Immutable;
using System.Composition;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KeepAlive.Analyzers;

/// <summary>Mends what <see cref="HandWrittenKeepAlive"/> finds, where it is plain what was meant.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class KeepAliveFixes : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = [Rules.Milliseconds.Id, Rules.WrongOverload.Id, Rules.NoIdle.Id];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        if (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false) is not { } root) return;
        foreach (Diagnostic diagnostic in context.Diagnostics)
        {
            SyntaxNode node = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
            if (diagnostic.Id == Rules.NoIdle.Id)
            {
                if (node.FirstAncestorOrSelf<InvocationExpressionSyntax>() is { Expression: MemberAccessExpressionSyntax access } call)
                    Offer(context, diagnostic, "Set keepalive with an idle time", _ => Task.FromResult(WithUsing(root.ReplaceNode(call, SetKeepAlive(access).WithTriviaFrom(call)))));
                continue;
            }

            if (node.FirstAncestorOrSelf<ExpressionSyntax>() is not { } value) continue;
            SemanticModel? model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
            if (diagnostic.Id == Rules.Milliseconds.Id && model?.GetConstantValue(value).Value is int milliseconds)
                Offer(context, diagnostic, "Give seconds", _ => Task.FromResult(root.ReplaceNode(value, Number(milliseconds / 1000).WithTriviaFrom(value))));
            else if (diagnostic.Id == Rules.WrongOverload.Id && model?.GetTypeInfo(value).Type is { } type && AsInt(value, type) is { } number)
                Offer(context, diagnostic, "Pass an int", _ => Task.FromResult(root.ReplaceNode(value, number.WithTriviaFrom(value))));
        }
    }

    private static void Offer(CodeFixContext context, Diagnostic diagnostic, string title, Func<CancellationToken, Task<SyntaxNode>> mend) =>
        context.RegisterCodeFix(CodeAction.Create(title, async cancel => context.Document.WithSyntaxRoot(await mend(cancel).ConfigureAwait(false)), title), diagnostic);

    // What a bool was to mean nobody knows; it has no fix.
    private static ExpressionSyntax? AsInt(ExpressionSyntax value, ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_UInt32 or SpecialType.System_Int64 or SpecialType.System_UInt64 or SpecialType.System_Double =>
            value is LiteralExpressionSyntax { Token.Value: uint or long or ulong } literal
                ? Number(Convert.ToInt32(literal.Token.Value, CultureInfo.InvariantCulture)) : Cast(value),
        SpecialType.None when type.ToDisplayString() == "System.TimeSpan" =>
            Cast(SyntaxFactory.MemberAccessExpression(SyntaxKind.SimpleMemberAccessExpression, value.WithoutTrivia(), SyntaxFactory.IdentifierName("TotalSeconds"))),
        _ => null,
    };

    private static CastExpressionSyntax Cast(ExpressionSyntax value) => SyntaxFactory.CastExpression(
        SyntaxFactory.PredefinedType(SyntaxFactory.Token(SyntaxKind.IntKeyword)),
        value is BinaryExpressionSyntax or ConditionalExpressionSyntax ? SyntaxFactory.ParenthesizedExpression(value.WithoutTrivia()) : value.WithoutTrivia());

    private static LiteralExpressionSyntax Number(int value) => SyntaxFactory.LiteralExpression(SyntaxKind.NumericLiteralExpression, SyntaxFactory.Literal(value));

    private static ExpressionSyntax SetKeepAlive(MemberAccessExpressionSyntax access) =>
        SyntaxFactory.ParseExpression($"{access.Expression.WithoutTrivia()}.SetKeepAlive(\"60:3:20\")");

    private static SyntaxNode WithUsing(SyntaxNode root) => root is CompilationUnitSyntax unit && !unit.Usings.Any(@using => @using.Name?.ToString() == "KeepAlive")
        ? unit.AddUsings(SyntaxFactory.UsingDirective(SyntaxFactory.IdentifierName("KeepAlive")).NormalizeWhitespace().WithTrailingTrivia(SyntaxFactory.ElasticLineFeed))
        : root;
}
