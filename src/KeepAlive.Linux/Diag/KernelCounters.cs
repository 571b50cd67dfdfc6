using System.Globalization;

namespace KeepAlive.Linux.Diag;

/// <summary>What the kernel has counted in our network namespace since it began (/proc/net/netstat; names of net/ipv4/proc.c).</summary>
/// <param name="ProbesSent">Keepalive probes (TCPKeepAlive), of all programs.</param>
/// <param name="Timeouts">Connections given up as nothing was answered (TCPAbortOnTimeout).</param>
internal sealed record KernelCounters(long ProbesSent, long Timeouts)
{
    private const string File = "/proc/net/netstat";

    /// <summary>As they are now; null where there are none.</summary>
    public static KernelCounters? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? Parse(System.IO.File.ReadLines(File)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A line of names, and one of values, with the same first word.
    internal static KernelCounters? Parse(IEnumerable<string> lines)
    {
        string[][] both = [.. lines.Where(line => line.StartsWith("TcpExt:", StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Take(2)];
        return both is [var names, var values] && Of("TCPKeepAlive") is { } probes && Of("TCPAbortOnTimeout") is { } timeouts ? new KernelCounters(probes, timeouts) : null;

        long? Of(string name) => Array.IndexOf(names, name) is > 0 and var at && at < values.Length && long.TryParse(values[at], NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
    }
}
