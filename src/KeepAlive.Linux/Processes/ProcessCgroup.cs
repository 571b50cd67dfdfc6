namespace KeepAlive.Linux.Processes;

/// <summary>The cgroup a process is in.</summary>
internal static class ProcessCgroup
{
    /// <summary>Of version 2, from the root of the hierarchy on, such as <c>/system.slice/ssh.service</c>; null where there is none, or the process has ended.</summary>
    public static string? Of(int pid)
    {
        try
        {
            // "0::/system.slice/ssh.service" (cgroups(7), /proc/PID/cgroup); lines of version 1 have another number.
            foreach (string line in File.ReadLines($"/proc/{pid}/cgroup"))
                if (line.StartsWith("0::", StringComparison.Ordinal)) return line[3..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Ended meanwhile.
        }

        return null;
    }
}
