using System.Runtime.CompilerServices;

namespace KeepAlive.Tests.App;

/// <summary>What somebody has measured on this machine is none of the tests' business.</summary>
internal static class NoMeasuredPaths
{
    [ModuleInitializer]
    internal static void Forget() => Environment.SetEnvironmentVariable("KEEPALIVE_PATHS", "/nonexistent/paths.json");
}
