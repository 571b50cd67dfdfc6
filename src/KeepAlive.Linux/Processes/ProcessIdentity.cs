using System.Globalization;

namespace KeepAlive.Linux.Processes;

/// <summary>What tells a process from every other that has, had or will have its number.</summary>
internal static class ProcessIdentity
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The machine's run and when in it the process was started; null when there is none, or no /proc.</summary>
    public static string? Of(int pid)
    {
        try
        {
            return ProcessStat.Of(pid) is { } stat ? string.Create(CultureInfo.InvariantCulture, $"{File.ReadAllText(BootFile).Trim()}:{stat.Started}") : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
