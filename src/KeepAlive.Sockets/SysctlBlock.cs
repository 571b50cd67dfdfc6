using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace KeepAlive.Sockets;

/// <summary>
/// Our lines in a file of sysctls (sysctl.d(5), macOS's sysctl.conf(5)), between two comments; what others wrote around
/// them stays.
/// <code>
/// # keepalive system persist: begin ('keepalive system persist --remove' undoes it)
/// # idle 60s, 4 probes 15s apart: dead after 2m0s
/// # before: net.ipv4.tcp_keepalive_time = 7200
/// net.ipv4.tcp_keepalive_time = 60
/// # keepalive system persist: end
/// </code>
/// </summary>
internal static class SysctlBlock
{
    private const string Begin = "# keepalive system persist: begin";
    private const string End = "# keepalive system persist: end";
    private const string BeforeMark = "# before:";
    private const string Undo = " ('keepalive system persist --remove' undoes it)";

    /// <summary>
    /// The block of a text: null and true when it has none; false, with the reason, when one of its two ends is missing
    /// or there are several, which only a hand can have done.
    /// </summary>
    /// <param name="text">The whole file.</param>
    /// <param name="keys">Whose keys count; others are passed over.</param>
    /// <param name="block">What was found.</param>
    /// <param name="fault">What is wrong and what to do.</param>
    public static bool TryRead(string text, MachineKeys keys, out PersistedDefaults? block, [NotNullWhen(false)] out string? fault)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(keys);
        block = null;
        if (!TryFind(text, out Range range, out fault)) return false;
        string found = text[range];
        if (found.Length == 0) return true;
        string[] lines = [.. found.Split('\n').Select(line => line.Trim())];
        string before = string.Join('\n', lines.Where(line => line.StartsWith(BeforeMark, StringComparison.Ordinal)).Select(line => line[BeforeMark.Length..]));
        string meaning = lines.FirstOrDefault(line => line.StartsWith("# ", StringComparison.Ordinal) && !line.StartsWith(Begin, StringComparison.Ordinal)
            && !line.StartsWith(End, StringComparison.Ordinal) && !line.StartsWith(BeforeMark, StringComparison.Ordinal)) ?? "# ";
        block = new PersistedDefaults(meaning[2..], Settings(found, keys), Settings(before, keys));
        return true;
    }

    /// <summary>The text with this block, in place of the one it has; at the end, where it counts more than what stands before.</summary>
    /// <exception cref="FormatException">The text has a damaged block (<see cref="TryRead"/>).</exception>
    public static string Put(string text, PersistedDefaults block)
    {
        ArgumentNullException.ThrowIfNull(block);
        var put = new StringBuilder(Remove(text));
        if (put.Length > 0 && put[^1] != '\n') put.Append('\n');
        put.Append(Begin).Append(Undo).Append('\n').Append("# ").Append(block.Meaning).Append('\n');
        foreach (MachineSetting setting in block.Before.Where(s => s.Value is not null)) Append(put.Append(BeforeMark).Append(' '), setting);
        foreach (MachineSetting setting in block.Values.Where(s => s.Value is not null)) Append(put, setting);
        return put.Append(End).Append('\n').ToString();
    }

    /// <summary>The text without our block; the same text when it has none.</summary>
    /// <exception cref="FormatException">The text has a damaged block (<see cref="TryRead"/>).</exception>
    public static string Remove(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!TryFind(text, out Range range, out string? fault)) throw new FormatException(fault);
        (int start, int length) = range.GetOffsetAndLength(text.Length);
        return text.Remove(start, length);
    }

    private static void Append(StringBuilder text, MachineSetting setting) => text.Append(CultureInfo.InvariantCulture, $"{setting.Key} = {setting.Value}\n");

    // Whole lines, the last line's end included; empty when there is no block.
    private static bool TryFind(string text, out Range range, [NotNullWhen(false)] out string? fault)
    {
        int begin = -1, end = -1, begins = 0, ends = 0;
        for (int at = 0; at < text.Length;)
        {
            int next = text.IndexOf('\n', at) is var newline and >= 0 ? newline + 1 : text.Length;
            ReadOnlySpan<char> line = text.AsSpan(at, next - at).TrimStart();
            if (line.StartsWith(Begin, StringComparison.Ordinal)) (begin, begins) = (at, begins + 1);
            else if (line.StartsWith(End, StringComparison.Ordinal)) (end, ends) = (next, ends + 1);
            at = next;
        }

        bool isNone = begins == 0 && ends == 0, isOne = begins == 1 && ends == 1 && begin < end;
        range = isOne ? begin..end : 0..0;
        fault = isNone || isOne ? null : $"it has {begins} lines '{Begin}' and {ends} lines '{End}', not one of each in this order: repair it by hand, or delete these lines";
        return fault is null;
    }

    private static IReadOnlyList<MachineSetting> Settings(string text, MachineKeys keys) =>
        [.. SysctlText.Parse(text).Where(line => keys.All.Contains(line.Key) && line.Number is not null).Select(line => new MachineSetting(line.Key, line.Number))];
}
