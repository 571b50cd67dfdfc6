using System.Globalization;

namespace KeepAlive.Linux.Processes;

/// <summary>What tells one process from another that later has its number.</summary>
/// <param name="Parent">The process that started it, or adopted it.</param>
/// <param name="Started">Clock ticks since boot.</param>
internal readonly record struct ProcessStat(int Parent, ulong Started)
{
    /// <summary>Null when it has ended.</summary>
    public static ProcessStat? Of(int pid)
    {
        try
        {
            // proc(5), /proc/PID/stat: "pid (name) state ppid ...", start time the 22nd; the name may hold anything, parentheses too.
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new ProcessStat(int.Parse(fields[1], CultureInfo.InvariantCulture), ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
