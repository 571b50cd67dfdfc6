using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace KeepAlive.Analyzers;

/// <summary>A call of <c>Socket.SetSocketOption(level, name, value)</c> about keepalive.</summary>
internal sealed class SocketOptionCall
{
    private SocketOptionCall(IInvocationOperation call, string name, IOperation value, bool takesObject) =>
        (Call, Name, Value, TakesObject) = (call, name, value, takesObject);

    public IInvocationOperation Call { get; }

    /// <summary>As written in the source: the enum has several names for one value.</summary>
    public string Name { get; }

    /// <summary>The value as written, without what the compiler makes of it.</summary>
    public IOperation Value { get; }

    /// <summary>Whether the overload for objects is called, which wants a LingerOption or a membership.</summary>
    public bool TakesObject { get; }

    public bool IsSwitch => Name == "KeepAlive";

    public bool IsNumber => Name is "TcpKeepAliveTime" or "TcpKeepAliveInterval" or "TcpKeepAliveRetryCount";

    public bool IsOff => Value.ConstantValue is { HasValue: true, Value: false or 0 };

    /// <summary>The meaning of a call; null where it is another.</summary>
    public static SocketOptionCall? Of(IInvocationOperation call, INamedTypeSymbol socket)
    {
        if (call.TargetMethod.Name != "SetSocketOption" || !SymbolEqualityComparer.Default.Equals(call.TargetMethod.ContainingType, socket)) return null;
        IArgumentOperation? name = Argument(call, "optionName"), value = Argument(call, "optionValue");
        if (name?.Value is not IFieldReferenceOperation { Field: { IsConst: true } field } || value is null) return null;
        IOperation written = value.Value;
        while (written is IConversionOperation { IsImplicit: true } conversion) written = conversion.Operand;
        var found = new SocketOptionCall(call, field.Name, written, value.Parameter?.Type.SpecialType == SpecialType.System_Object);
        return found.IsSwitch || found.IsNumber ? found : null;
    }

    private static IArgumentOperation? Argument(IInvocationOperation call, string name) => call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == name);
}
