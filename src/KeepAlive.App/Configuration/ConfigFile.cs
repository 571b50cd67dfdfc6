using KeepAlive.App.Machine;

namespace KeepAlive.App.Configuration;

/// <summary>Where the file is: as asked, by KEEPALIVE_CONFIG, or root's /etc/keepalive/keepalive.json, a user's ~/.config/keepalive/keepalive.json.</summary>
/// <param name="Path">Its path.</param>
/// <param name="IsAsked">Whether somebody named it: then it has to be there.</param>
internal sealed record ConfigFile(string Path, bool IsAsked)
{
    public const string Variable = "KEEPALIVE_CONFIG";

    private const long BytesMax = 1 << 20;

    public static ConfigFile Find(string? asked)
    {
        string? named = asked ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : null);
        return named is not null ? new ConfigFile(System.IO.Path.GetFullPath(named), true) : new ConfigFile(Usual(), false);
    }

    /// <summary>Its bytes; null where there is none and nobody asked for it.</summary>
    /// <exception cref="MachineException">It cannot be read.</exception>
    public byte[]? Read()
    {
        try
        {
            if (!File.Exists(Path)) return IsAsked ? throw new MachineException($"there is no {Path}: 'keepalive config example' prints one") : null;
            if (new FileInfo(Path).Length > BytesMax) throw new MachineException($"{Path}: it is longer than {BytesMax} bytes: is it the right file?");
            return File.ReadAllBytes(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MachineException.Of($"reading {Path}", e);
        }
    }

    private static string Usual() => Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows() ? "/etc/keepalive/keepalive.json"
        : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "keepalive", "keepalive.json");
}
