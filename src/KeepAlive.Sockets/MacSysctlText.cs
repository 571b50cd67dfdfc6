using System.Globalization;

namespace KeepAlive.Sockets;

/// <summary>What macOS's sysctl(8) prints and takes. Written from its manual and sources: compiled, not run there.</summary>
internal static class MacSysctlText
{
    /// <summary>The program, by its absolute path.</summary>
    public const string Program = "/usr/sbin/sysctl";

    /// <summary>The file read at start (sysctl.conf(5)); recent releases do not read it by themselves.</summary>
    public const string File = "/etc/sysctl.conf";

    /// <summary>
    /// The numbers in <c>name: number</c> lines, and in <c>name: number -> number</c>, which is what setting one prints (the last
    /// counts). Everything else is passed over; nothing throws.
    /// </summary>
    public static IReadOnlyList<MachineSetting> Parse(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var settings = new List<MachineSetting>();
        foreach (string raw in output.Split('\n'))
        {
            string line = raw.Trim();
            int colon = line.AsSpan().IndexOfAny(':', '=');
            if (colon <= 0) continue;
            string value = line[(colon + 1)..];
            int arrow = value.LastIndexOf("->", StringComparison.Ordinal);
            if (SysctlText.Number(arrow < 0 ? value : value[(arrow + 2)..]) is { } number) settings.Add(new MachineSetting(line[..colon].TrimEnd(), number));
        }

        return settings;
    }

    /// <summary>The arguments that read these keys.</summary>
    public static IReadOnlyList<string> ReadArguments(IEnumerable<string> keys) => [.. keys];

    /// <summary>The arguments that set one; it must have a value.</summary>
    /// <exception cref="ArgumentException">It has none: a sysctl cannot be unset.</exception>
    public static IReadOnlyList<string> WriteArguments(MachineSetting setting) => setting.Value is { } value
        ? [string.Create(CultureInfo.InvariantCulture, $"{setting.Key}={value}")]
        : throw new ArgumentException($"{setting.Key} has no value: a sysctl cannot be unset", nameof(setting));
}
