using System.Globalization;

namespace KeepAlive.Sockets;

/// <summary>One assignment of a sysctl.d file.</summary>
/// <param name="Key">With dots between its parts, however it was written.</param>
/// <param name="Value">As written, without the spaces around it.</param>
/// <param name="MayFail">Whether it began with <c>-</c>: failing to set it is no error.</param>
internal readonly record struct SysctlLine(string Key, string Value, bool MayFail)
{
    /// <summary>The value as a number; null when it is none.</summary>
    public long? Number => SysctlText.Number(Value);
}

/// <summary>
/// The texts of Linux's sysctls: sysctl.d(5), sysctl.conf(5) and the files under the kernel's own directory. Whatever the
/// text, nothing throws: what is no assignment is passed over, as the programs that read these files do.
/// </summary>
internal static class SysctlText
{
    private const string Root = "/proc/sys/";

    /// <summary>
    /// The assignments in their order. Comments (<c>#</c>, <c>;</c>), lines without <c>=</c> and patterns (<c>net.*.x</c>) are left
    /// out: an explicit line wins over a pattern (sysctl.d(5)).
    /// </summary>
    public static IReadOnlyList<SysctlLine> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = new List<SysctlLine>();
        foreach (string raw in text.Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0 || line[0] is '#' or ';') continue;
            bool mayFail = line[0] == '-';
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? "" : line[(mayFail ? 1 : 0)..equals].Trim();
            if (key.Length > 0 && key.AsSpan().IndexOfAny("*?[") < 0) lines.Add(new SysctlLine(Key(key), line[(equals + 1)..].Trim(), mayFail));
        }

        return lines;
    }

    /// <summary>
    /// The key with dots between its parts. Where the first separator is a slash, slashes separate and dots belong to the
    /// names: <c>net/ipv4/conf/eth0.1/x</c> is <c>net.ipv4.conf.eth0/1.x</c> (sysctl.d(5)).
    /// </summary>
    public static string Key(string written)
    {
        ArgumentNullException.ThrowIfNull(written);
        int first = written.AsSpan().IndexOfAny('/', '.');
        return first < 0 || written[first] == '.' ? written : Swapped(written);
    }

    /// <summary>The kernel's file for a key: <c>/proc/sys/net/ipv4/tcp_keepalive_time</c>. It shows the network namespace of whoever opens it.</summary>
    public static string File(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Root + Swapped(key);
    }

    /// <summary>The number in such a file, or in an assignment; null when there is none, or when it does not fit 64 bits.</summary>
    public static long? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long number)
            ? number : null;

    private static string Swapped(string text) => string.Create(text.Length, text, static (to, from) =>
    {
        for (int i = 0; i < to.Length; i++) to[i] = from[i] switch { '.' => '/', '/' => '.', char other => other };
    });
}
