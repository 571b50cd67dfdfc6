using System.Reflection;

namespace KeepAlive.App;

/// <summary>Which build this is.</summary>
internal static class ProgramVersion
{
    /// <summary>As <c>--version</c> says it.</summary>
    public static string Text { get; } = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
}
