using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>What every figure stands beside.</summary>
internal static class Machine
{
    public static string Describe()
    {
        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
        return string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} × {model}, {Environment.OSVersion}, .NET {Environment.Version}");
    }

    /// <summary>Resident memory of a process in KiB.</summary>
    public static long ResidentKiB(int pid) => long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
