namespace KeepAlive.Sockets;

/// <summary>A file of sysctls.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Text">All of it.</param>
internal sealed record SysctlFile(string Path, string Text);

/// <summary>A file that is read later, or instead, and sets a key otherwise: what it says is in force after a start.</summary>
/// <param name="Path">The file.</param>
/// <param name="Line">What it says.</param>
internal sealed record SysctlOverride(string Path, SysctlLine Line);

/// <summary>
/// Which of Linux's sysctl files wins: by file name whatever the folder, a name in an earlier folder hiding the same
/// name in later ones (sysctl.d(5)), then /etc/sysctl.conf (sysctl(8), <c>--system</c>).
/// </summary>
internal static class SysctlOrder
{
    /// <summary>Read last by procps; by systemd only where /etc/sysctl.d has a link to it, as on Debian.</summary>
    public const string LastFile = "/etc/sysctl.conf";

    /// <summary>The folders, those that hide others first.</summary>
    public static IReadOnlyList<string> Folders { get; } = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

    /// <summary>The files that count, in the order in which they are read; a folder not in <see cref="Folders"/> hides all others.</summary>
    public static IReadOnlyList<SysctlFile> Sort(IEnumerable<SysctlFile> files) =>
    [
        .. files.Where(file => file.Path == LastFile || file.Path.EndsWith(".conf", StringComparison.Ordinal))
            .GroupBy(file => Name(file.Path), StringComparer.Ordinal)
            .OrderBy(same => same.Key == LastFile).ThenBy(same => same.Key, StringComparer.Ordinal)
            .Select(same => same.MinBy(Rank)!),
    ];

    /// <summary>The keys that a file sets and a later one sets otherwise, each with the last that does.</summary>
    /// <param name="files">All files of the machine, in any order.</param>
    /// <param name="path">The file in question, one of them.</param>
    /// <param name="settings">What it sets.</param>
    public static IReadOnlyList<SysctlOverride> After(IEnumerable<SysctlFile> files, string path, IEnumerable<MachineSetting> settings)
    {
        SysctlOverride[] later =
        [
            .. from file in Sort(files).SkipWhile(file => Name(file.Path) != Name(path))
               where file.Path != path
               from line in SysctlText.Parse(file.Text)
               select new SysctlOverride(file.Path, line),
        ];
        return
        [
            .. from setting in settings
               let last = later.LastOrDefault(other => other.Line.Key == setting.Key)
               where last is not null && last.Line.Number != setting.Value
               select last,
        ];
    }

    private static string Name(string path) => path == LastFile ? path : Path.GetFileName(path);

    private static int Rank(SysctlFile file)
    {
        string folder = Path.GetDirectoryName(file.Path) ?? "";
        for (int i = 0; i < Folders.Count; i++)
            if (Folders[i] == folder) return i;
        return -1;
    }
}
