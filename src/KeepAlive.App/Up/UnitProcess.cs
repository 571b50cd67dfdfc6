using System.Globalization;

namespace KeepAlive.App.Up;

/// <summary>Which processes are one unit's: systemd knows them by their cgroup.</summary>
internal static class UnitProcess
{
    /// <summary>Whether a process is in this one's cgroup; not, when that cannot be told.</summary>
    public static bool IsOfOurs(int pid)
    {
        try
        {
            return File.ReadAllText("/proc/self/cgroup") == File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
