using System.Runtime.Versioning;
using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>A block in a file that the system reads at its start: a file of its own on Linux, sysctl.conf on macOS.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class SysctlPersistence(string path, MachineKeys keys) : IPersistence
{
    private const string LinuxName = "60-keepalive.conf";

    public string Where => path;

    public static SysctlPersistence Linux(string? folder) => new(Path.Combine(Path.GetFullPath(folder ?? SysctlOrder.Folders[0]), LinuxName), MachineKeys.Linux);

    public static SysctlPersistence MacOS(string? folder) =>
        new(folder is null ? MacSysctlText.File : Path.Combine(Path.GetFullPath(folder), Path.GetFileName(MacSysctlText.File)), MachineKeys.MacOS);

    public PersistedDefaults? Read() =>
        SysctlBlock.TryRead(AtomicFile.Read(path), keys, out PersistedDefaults? found, out string? fault) ? found : throw new MachineException($"{path}: {fault}");

    public void Write(PersistedDefaults persisted)
    {
        if (!Directory.Exists(Path.GetDirectoryName(path))) throw new MachineException($"there is no folder {Path.GetDirectoryName(path)}: create it, or name another with --directory");
        AtomicFile.Write(path, SysctlBlock.Put(AtomicFile.Read(path), persisted));
    }

    public void Remove() => AtomicFile.Write(path, SysctlBlock.Remove(AtomicFile.Read(path)));

    public IEnumerable<string> Warnings(IReadOnlyList<MachineSetting> settings)
    {
        if (keys != MachineKeys.Linux)
        {
            yield return "recent macOS does not read sysctl.conf when it starts: run 'sysctl -f' from a launch daemon there";
            yield break;
        }

        string folder = Path.GetDirectoryName(path)!;
        bool isRead = SysctlOrder.Folders.Contains(folder);
        if (!isRead) yield return $"{folder} is not a folder that is read at the start ({string.Join(", ", SysctlOrder.Folders)})";
        foreach (SysctlOverride other in SysctlOrder.After(isRead ? [.. SysctlOrder.Folders.SelectMany(Files), .. Files(SysctlOrder.LastFile)] : Files(folder), path, settings))
            yield return $"{other.Path} is read later and says {other.Line.Key} = {other.Line.Value}: after a restart that is in force; take it out there";
    }

    // Those that cannot be read are left out: a warning is all that depends on them.
    private static List<SysctlFile> Files(string place)
    {
        var files = new List<SysctlFile>();
        try
        {
            foreach (string file in Directory.Exists(place) ? Directory.GetFiles(place) : [place])
                if (File.Exists(file)) files.Add(new SysctlFile(file, AtomicFile.Read(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MachineException)
        {
            // As above.
        }

        return files;
    }
}
