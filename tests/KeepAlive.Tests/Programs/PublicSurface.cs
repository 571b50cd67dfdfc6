using System.Reflection;

namespace KeepAlive.Tests.Programs;

/// <summary>Everything public of the packages' assemblies, a line each: what users may write, and we promise.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Of(IEnumerable<Assembly> assemblies) =>
        from assembly in assemblies
        from type in assembly.GetExportedTypes()
        orderby type.FullName
        from line in (IEnumerable<string>)[$"{Kind(type)} {type.FullName}", .. Members(type).Order(StringComparer.Ordinal).Select(member => "  " + member)]
        select line;

    private static string[] Members(Type type)
    {
        if (type.IsEnum) return Enum.GetNames(type);
        // What the compiler writes for a record is no decision of ours.
        return
        [
            .. from member in type.GetMembers(Declared)
               where member is not TypeInfo && !member.Name.Contains('<', StringComparison.Ordinal) && member.Name is not ("PrintMembers" or "EqualityContract")
                   && !(member is MethodBase { IsSpecialName: true } and not ConstructorInfo && !member.Name.StartsWith("op_", StringComparison.Ordinal))
                   && member.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null
               let line = Line(member)
               where line is not null
               select line,
        ];
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo { IsPublic: true } made => $"new({Parameters(made)})",
        MethodInfo { IsPublic: true } method => $"{Static(method.IsStatic)}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        PropertyInfo property when property.GetMethod is { IsPublic: true } get =>
            $"{Static(get.IsStatic)}{Name(property.PropertyType)} {property.Name} {{ get;{(property.SetMethod is { IsPublic: true } set ? IsInit(set) ? " init;" : " set;" : "")} }}",
        FieldInfo { IsPublic: true } field => $"{(field.IsLiteral ? "const " : Static(field.IsStatic))}{Name(field.FieldType)} {field.Name}",
        EventInfo told => $"event {Name(told.EventHandlerType!)} {told.Name}",
        _ => null,
    };

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
        : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsSealed ? "sealed class" : type.IsAbstract ? "abstract class" : "class";

    private static string Static(bool isStatic) => isStatic ? "static " : "";

    private static bool IsInit(MethodInfo set) => set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.CompilerServices.IsExternalInit));

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{(p.IsOut ? "out " : p.Position == 0 && method.IsDefined(typeof(System.Runtime.CompilerServices.ExtensionAttribute)) ? "this " : "")}{Name(p.ParameterType)} {p.Name}{(p.IsOptional ? " = default" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!);
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        return type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : type.Name;
    }
}
