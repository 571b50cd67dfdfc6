using KeepAlive.Analyzers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace KeepAlive.Tests.Analyzers;

/// <summary>A program of a few lines, compiled with the analyzer.</summary>
internal sealed class AnalyzedCode : IDisposable
{
    private static readonly MetadataReference[] References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal)).Select(path => MetadataReference.CreateFromFile(path))];

    private readonly AdhocWorkspace _workspace = new();
    private readonly Document _document;

    private AnalyzedCode(string code)
    {
        var project = ProjectInfo.Create(ProjectId.CreateNewId(), VersionStamp.Default, "program", "program", LanguageNames.CSharp,
            compilationOptions: new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary), metadataReferences: References);
        _document = _workspace.AddProject(project).AddDocument("Program.cs", SourceText.From(code));
    }

    /// <summary>Statements of a method that has a socket and a listener.</summary>
    public static AnalyzedCode OfStatements(string statements) => new($$"""
        using System;
        using System.Net.Sockets;

        class Program
        {
            void Run(Socket socket, TcpListener listener, uint number, TimeSpan time)
            {
                {{statements}}
            }
        }
        """);

    /// <summary>What is told, each by its number and the text it is about.</summary>
    public async Task<string[]> TellAsync()
    {
        SyntaxNode root = (await _document.GetSyntaxRootAsync())!;
        return [.. (await DiagnoseAsync()).Select(told => $"{told.Id} {root.FindNode(told.Location.SourceSpan, getInnermostNodeForTie: true)}")];
    }

    /// <summary>The messages of what is told.</summary>
    public async Task<string[]> MessagesAsync() => [.. (await DiagnoseAsync()).Select(told => told.GetMessage(System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>The program after the fix of the one thing that is told; null where it has none.</summary>
    public async Task<string?> FixAsync()
    {
        Diagnostic told = Assert.Single(await DiagnoseAsync());
        CodeAction? fix = null;
        var context = new CodeFixContext(_document, told, (action, _) => fix = action, CancellationToken.None);
        if (!new KeepAliveFixes().FixableDiagnosticIds.Contains(told.Id)) return null;
        await new KeepAliveFixes().RegisterCodeFixesAsync(context);
        if (fix is null) return null;
        var change = (ApplyChangesOperation)Assert.Single(await fix.GetOperationsAsync(CancellationToken.None));
        return (await change.ChangedSolution.GetDocument(_document.Id)!.GetTextAsync()).ToString();
    }

    public void Dispose() => _workspace.Dispose();

    private async Task<IEnumerable<Diagnostic>> DiagnoseAsync()
    {
        Compilation compilation = (await _document.Project.GetCompilationAsync())!;
        Assert.Empty(compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error));
        return (await compilation.WithAnalyzers([new HandWrittenKeepAlive()]).GetAnalyzerDiagnosticsAsync()).OrderBy(found => found.Location.SourceSpan.Start);
    }
}
