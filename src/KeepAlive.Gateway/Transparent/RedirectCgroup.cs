using System.Diagnostics.CodeAnalysis;

namespace KeepAlive.Gateway.Transparent;

/// <summary>A cgroup of version 2, as nftables names one.</summary>
/// <param name="Level">How deep it is below the root of the hierarchy: 1 or more.</param>
/// <param name="Path">Its folder, from /sys/fs/cgroup on, where nft(8) looks for it.</param>
internal sealed record RedirectCgroup(int Level, string Path)
{
    private const string Root = "/sys/fs/cgroup";

    /// <summary>The cgroup of a folder, or what is wrong with it.</summary>
    /// <param name="text">A folder of cgroup v2 (<c>/sys/fs/cgroup/system.slice</c>), or its name from the root of the hierarchy on (<c>system.slice</c>).</param>
    /// <param name="value">The cgroup.</param>
    /// <param name="fault">One line: the value, what is allowed, what to do.</param>
    public static bool TryFind(string text, [NotNullWhen(true)] out RedirectCgroup? value, [NotNullWhen(false)] out string? fault)
    {
        ArgumentNullException.ThrowIfNull(text);
        value = null;
        // Where both versions are mounted the second is below the root (systemd's "hybrid").
        string? mount = OperatingSystem.IsLinux() ? File.ReadLines("/proc/self/mountinfo").Select(MountOf).FirstOrDefault(at => at is not null) : null;
        if (mount is null)
        {
            fault = $"no cgroup v2 is mounted at or below {Root}, where nft looks for it: mount -t cgroup2 none {Root}/unified";
            return false;
        }

        string folder = System.IO.Path.GetFullPath(text.StartsWith(mount, StringComparison.Ordinal) ? text : $"{mount}/{text}");
        fault = Fault(text, folder, mount);
        if (fault is null) value = new RedirectCgroup(folder[(mount.Length + 1)..].Split('/').Length, folder[(Root.Length + 1)..]);
        return fault is null;
    }

    private static string? Fault(string text, string folder, string mount) =>
        folder.TrimEnd('/') == mount || !folder.StartsWith(mount + "/", StringComparison.Ordinal) ? $"'{text}' is not a cgroup below {mount}: everybody is in the root, leave the option out for that"
        : folder.Any(c => c is '"' or '\\' || char.IsControl(c)) ? $"'{text}' has a quote, a backslash or a control character in it, which nft cannot read: name a cgroup above it"
        : !Directory.Exists(folder) ? $"'{text}' is not a cgroup: there is no folder {folder} (systemd-cgls shows what there is)"
        : null;

    // "36 35 0:30 / /sys/fs/cgroup rw,... shared:9 - cgroup2 cgroup2 rw" (proc(5)): the type stands behind a lone dash.
    private static string? MountOf(string line)
    {
        string[] fields = line.Split(' ');
        int dash = Array.IndexOf(fields, "-");
        return dash > 0 && dash + 1 < fields.Length && fields[dash + 1] == "cgroup2" && (fields[4] == Root || fields[4].StartsWith(Root + "/", StringComparison.Ordinal)) ? fields[4] : null;
    }
}
