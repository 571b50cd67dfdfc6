namespace KeepAlive.Linux.Launch;

/// <summary>How this very program is started again.</summary>
internal static class SelfCommand
{
    public static IReadOnlyList<string> Words { get; } = Find();

    // Started as "dotnet keepalive.dll", the process is dotnet's.
    private static string[] Find()
    {
        string process = Environment.ProcessPath ?? throw new InvalidOperationException("the path of this program is not known");
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, Environment.GetCommandLineArgs()[0]] : [process];
    }
}
