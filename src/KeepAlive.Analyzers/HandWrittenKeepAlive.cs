using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace KeepAlive.Analyzers;

/// <summary>Finds what goes wrong where keepalive is set by hand.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HandWrittenKeepAlive : DiagnosticAnalyzer
{
    // Whole thousands of seconds that somebody meant begin at 1000 s, 17 minutes; those who think in seconds write 900, 1800, 3600, 7200.
    private const int SuspiciousFrom = 1000;

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        [Rules.Milliseconds, Rules.WrongOverload, Rules.WindowsOnly, Rules.NoIdle, Rules.Listener];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName("System.Net.Sockets.Socket") is not { } socket) return;
            start.RegisterOperationBlockAction(block => OnBlock(block, socket));
        });
    }

    // A body as a whole: that idle is set may stand before or after the switch.
    private static void OnBlock(OperationBlockAnalysisContext context, INamedTypeSymbol socket)
    {
        IInvocationOperation[] calls = [.. context.OperationBlocks.SelectMany(block => block.DescendantsAndSelf()).OfType<IInvocationOperation>()];
        SocketOptionCall[] options = [.. calls.Select(call => SocketOptionCall.Of(call, socket)).OfType<SocketOptionCall>()];
        bool hasIdle = options.Any(option => option.Name == "TcpKeepAliveTime") || calls.Any(IsKeepAliveValues);
        foreach (SocketOptionCall option in options)
        {
            if (option.IsNumber) OnNumber(context, option);
            else if (option.IsSwitch) OnSwitch(context, option, calls, hasIdle);
        }

        foreach (IInvocationOperation call in calls.Where(call => IsKeepAliveValues(call) && SymbolEqualityComparer.Default.Equals(call.TargetMethod.ContainingType, socket)))
            if (!IsGuarded(call)) Report(context, Rules.WindowsOnly, call);
    }

    private static void OnNumber(OperationBlockAnalysisContext context, SocketOptionCall option)
    {
        string unit = option.Name == "TcpKeepAliveRetryCount" ? "probes" : "seconds";
        if (option.Value.Type?.SpecialType == SpecialType.System_Boolean)
            Report(context, Rules.WrongOverload, option.Value, option.Name, $"a bool sets 1 {unit.TrimEnd('s')}", unit);
        else if (option.TakesObject)
            Report(context, Rules.WrongOverload, option.Value, option.Name, $"{Article(option.Value.Type)} is taken for an object and throws ArgumentException", unit);
        else if (unit == "seconds" && option.Value.ConstantValue is { HasValue: true, Value: int value and >= SuspiciousFrom } && value % 1000 == 0)
            Report(context, Rules.Milliseconds, option.Value, option.Name, Text(value), Spoken(value), Text(value / 1000));
    }

    private static void OnSwitch(OperationBlockAnalysisContext context, SocketOptionCall option, IInvocationOperation[] calls, bool hasIdle)
    {
        if (option.IsOff) return;
        if (IsListener(option, calls)) Report(context, Rules.Listener, option.Call);
        else if (!hasIdle) Report(context, Rules.NoIdle, option.Call);
    }

    // TcpListener.Server, or what is told to listen in the same body.
    private static bool IsListener(SocketOptionCall option, IInvocationOperation[] calls)
    {
        if (option.Call.Instance is IPropertyReferenceOperation { Property: { Name: "Server", ContainingType.Name: "TcpListener" } }) return true;
        ISymbol? receiver = Symbol(option.Call.Instance);
        return receiver is not null && calls.Any(call => call.TargetMethod.Name == "Listen" && SymbolEqualityComparer.Default.Equals(Symbol(call.Instance), receiver));
    }

    private static bool IsKeepAliveValues(IInvocationOperation call) => call.TargetMethod.Name == "IOControl"
        && call.Arguments.Any(argument => argument.Value.DescendantsAndSelf().OfType<IFieldReferenceOperation>().Any(field => field.Field.Name == "KeepAliveValues"));

    private static bool IsGuarded(IOperation call)
    {
        for (IOperation? at = call.Parent; at is not null; at = at.Parent)
            if (at is IConditionalOperation { Condition: var condition } && condition.Syntax.ToString().Contains("Windows")) return true;
        return false;
    }

    private static ISymbol? Symbol(IOperation? receiver) => receiver switch
    {
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter,
        IFieldReferenceOperation field => field.Field,
        IPropertyReferenceOperation property => property.Property,
        _ => null,
    };

    private static void Report(OperationBlockAnalysisContext context, DiagnosticDescriptor rule, IOperation at, params object[] words) =>
        context.ReportDiagnostic(Diagnostic.Create(rule, at.Syntax.GetLocation(), words));

    private static string Article(ITypeSymbol? type) => $"a {type?.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat)}";

    private static string Spoken(int seconds) => seconds >= 86_400 ? $"{Text(seconds / 86_400)} days" : seconds >= 7200 ? $"{Text(seconds / 3600)} hours" : $"{Text(seconds / 60)} minutes";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
