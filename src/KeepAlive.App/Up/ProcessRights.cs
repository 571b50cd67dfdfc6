using System.Globalization;

namespace KeepAlive.App.Up;

/// <summary>What this process may not do, of all that the daemon can (capabilities(7)).</summary>
/// <param name="user">Its effective user's number.</param>
/// <param name="capabilities">The effective ones, a bit each.</param>
/// <param name="firstFreePort">Below it, ports need a capability (ip_unprivileged_port_start).</param>
/// <param name="descriptors">How many it may have.</param>
internal sealed class ProcessRights(uint user, ulong capabilities, int firstFreePort, long descriptors)
{
    private const int CAP_DAC_READ_SEARCH = 2;
    private const int CAP_NET_BIND_SERVICE = 10;
    private const int CAP_NET_ADMIN = 12;
    private const int CAP_SYS_PTRACE = 19;
    private const int CAP_SYS_ADMIN = 21;
    private const int CAP_PERFMON = 38;
    private const int CAP_BPF = 39;

    /// <summary>This one's; null where the kernel does not tell.</summary>
    public static ProcessRights? Own()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            Dictionary<string, string> status = File.ReadLines("/proc/self/status").Select(line => line.Split(':', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1].Trim());
            string limit = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
            return new ProcessRights(
                uint.Parse(status["Uid"].Split('\t')[1], CultureInfo.InvariantCulture),
                ulong.Parse(status["CapEff"], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                int.Parse(File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start"), CultureInfo.InvariantCulture),
                long.TryParse(limit, CultureInfo.InvariantCulture, out long count) ? count : long.MaxValue);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>In words; null when nothing is missing.</summary>
    public string? Missing()
    {
        var missing = new List<string>();
        if (!Has(CAP_NET_BIND_SERVICE) && firstFreePort > 1) missing.Add($"ports below {firstFreePort} cannot be listened on (CAP_NET_BIND_SERVICE)");
        bool reachesAll = (Has(CAP_SYS_PTRACE) && Has(CAP_DAC_READ_SEARCH)) || (Has(CAP_BPF) && Has(CAP_PERFMON) && Has(CAP_NET_ADMIN));
        if (!reachesAll) missing.Add("host policies can change this user's own connections alone (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)");
        if (!Has(CAP_SYS_ADMIN)) missing.Add("other network namespaces are not seen (CAP_SYS_ADMIN)");
        if (missing.Count == 0) return null;
        string flows = descriptors == long.MaxValue ? "" : string.Create(CultureInfo.InvariantCulture, $"; {descriptors} descriptors are enough for about {descriptors / 2} flows (ulimit -n)");
        return $"as user {user}: {string.Join("; ", missing)}{flows}";
    }

    private bool Has(int capability) => (capabilities >> capability & 1) != 0;
}
