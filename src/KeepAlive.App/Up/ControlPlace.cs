using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeepAlive.App.Configuration;

namespace KeepAlive.App.Up;

/// <summary>Where the daemon of a file can be asked, and what it leaves for the next: by the file, as a user may run several.</summary>
/// <param name="folder">For what ends with the machine's run; null where there is no such place.</param>
/// <param name="stateFolder">For what the next start is to know.</param>
/// <param name="file">Whose daemon.</param>
internal sealed class ControlPlace(string? folder, string? stateFolder, ConfigFile file)
{
    // The path of a Unix socket has 108 bytes (unix(7)).
    private readonly string _name = "up-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file.Path)))[..12];

    /// <summary>By systemd's word, or as the user's rights allow.</summary>
    public static ControlPlace Find(ConfigFile file)
    {
        string? state = First("STATE_DIRECTORY");
        string? folder = First("RUNTIME_DIRECTORY") ?? (!OperatingSystem.IsLinux() ? null
            : Environment.IsPrivilegedProcess ? "/run/keepalive"
            : First("XDG_RUNTIME_DIR") is { } user ? Path.Combine(user, "keepalive") : null);
        return new ControlPlace(folder, state ?? folder, file);
    }

    /// <summary>Null where there is no place for it.</summary>
    public string? Socket => folder is null ? null : Path.Combine(folder, _name + ".sock");

    /// <summary>What a process says of itself while it lives; null where there is no place for it.</summary>
    public string? StateOf(int pid) => stateFolder is null ? null : Path.Combine(stateFolder, string.Create(CultureInfo.InvariantCulture, $"{_name}.{pid}.json"));

    /// <summary>What those before have left.</summary>
    public IEnumerable<string> States => stateFolder is not null && Directory.Exists(stateFolder) ? Directory.EnumerateFiles(stateFolder, _name + ".*.json") : [];

    /// <summary>Makes the folders, for nobody else to enter.</summary>
    public void Make()
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (string path in ((string?[])[folder, stateFolder]).OfType<string>()) Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    // systemd.exec(5): several have colons between.
    private static string? First(string variable) => Environment.GetEnvironmentVariable(variable)?.Split(':')[0] is { Length: > 0 } path ? path : null;
}
