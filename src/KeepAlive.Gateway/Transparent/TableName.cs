using System.Globalization;

namespace KeepAlive.Gateway.Transparent;

/// <summary>
/// The name of a gateway's table, which tells whether its owner lives: <c>keepalive-PID-STARTED-PIDNS</c>. A pid may be somebody
/// else's by now, so the time of its start stands beside it; and it means something in its own pid namespace alone, which
/// processes that share a network namespace need not share.
/// </summary>
internal static class TableName
{
    private const string Prefix = "keepalive-";

    /// <summary>Of this process.</summary>
    public static string Own { get; } = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{StartOf(Environment.ProcessId)}-{PidNamespace()}");

    /// <summary>Whether its owner has ended. One in another pid namespace cannot be asked for: it counts as living.</summary>
    public static bool IsLeft(string table)
    {
        string[] parts = table.Split('-');
        return table.StartsWith(Prefix, StringComparison.Ordinal) && parts.Length == 4
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            && ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong started)
            && parts[3] == PidNamespace() && StartOf(pid) != started;
    }

    // proc(5), /proc/PID/stat: "pid (name) state ppid ...", the start in clock ticks since boot the 22nd; the name may hold anything.
    private static ulong? StartOf(int pid)
    {
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return ulong.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // it has ended
        }
    }

    // "pid:[4026531836]" (namespaces(7)).
    private static string PidNamespace() => string.Concat((new FileInfo("/proc/self/ns/pid").LinkTarget ?? "").Where(char.IsAsciiDigit));
}
