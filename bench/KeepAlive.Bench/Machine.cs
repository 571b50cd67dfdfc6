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

    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The program as users run it, compiled ahead of time; the launcher script itself is not counted.</summary>
    public static string Program => Path.Combine(Root, "artifacts/launcher/current/keepalive") is var program && File.Exists(program)
        ? program : throw new FileNotFoundException("run ./keepalive --version first: it builds what users run", program);

    /// <summary>Resident memory of a process and its children in KiB.</summary>
    public static long ResidentKiB(int pid) => Children(pid).Sum(ResidentKiB) + long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>Processor time a process and its children have used, those that have ended included.</summary>
    public static double CpuSeconds(int pid)
    {
        // proc(5), /proc/PID/stat behind the name: utime 12th, stime 13th, of children waited for 14th and 15th; 100 ticks a second.
        string[] fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ", 2)[1].Split(' ');
        double own = fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / 100.0;
        return own + Children(pid).Sum(CpuSeconds);
    }

    /// <summary>Processor time everything on the machine has used, the kernel's own threads and interrupts included.</summary>
    public static double CpuSeconds()
    {
        // proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq.
        long[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / 100.0;
    }

    private static IEnumerable<int> Children(int pid) => File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Where(child => Directory.Exists($"/proc/{child}")).Select(child => int.Parse(child, CultureInfo.InvariantCulture));

    private static string FindRoot()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "KeepAlive.slnx"))) at = Path.GetDirectoryName(at);
        return at ?? throw new DirectoryNotFoundException("run the bench from inside the repository's tree");
    }
}
