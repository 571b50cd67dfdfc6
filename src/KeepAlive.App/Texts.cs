using System.Globalization;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Sockets;

namespace KeepAlive.App;

/// <summary>Readers for the texts that options take.</summary>
internal static class Texts
{
    public static bool Spec(string text, out KeepAliveSpec value, out string? fault) => KeepAliveSpec.TryParse(text, out value, out fault);

    public static TextReader<TimeSpan> DurationWithin(TimeSpan least, TimeSpan most) => (string text, out TimeSpan value, out string? fault) =>
    {
        bool good = Duration.TryParse(text, out value) && value >= least && value <= most;
        fault = good ? null : $"'{text}' is not a duration from {Duration.Format(least)} to {Duration.Format(most)}: give seconds, or a duration such as 90s, 2m30s, 500ms";
        return good;
    };

    public static TextReader<int> NumberWithin(int least, int most) => (string text, out int value, out string? fault) =>
    {
        bool good = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;
        fault = good ? null : $"'{text}' is not a whole number from {least} to {most}";
        return good;
    };

    /// <summary><c>1%</c>, <c>0.5%</c>, or the part itself, <c>0.01</c>.</summary>
    public static TextReader<double> Percent(double most) => (string text, out double value, out string? fault) =>
    {
        bool isPercent = text.EndsWith('%');
        bool good = double.TryParse(isPercent ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
        if (isPercent) value /= 100;
        good &= value >= 0 && value <= most;
        fault = good ? null : string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a part from 0% to {most * 100:0.##}%: give one such as 1% or 0.01");
        return good;
    };

    /// <summary>A text that somebody else chose, fit for a terminal: control characters become question marks.</summary>
    public static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;

    public static bool Netns(string text, out NetnsScope value, out string? fault)
    {
        value = text == "all" ? NetnsScope.All : NetnsScope.Own;
        fault = text is "all" or "own" ? null : $"'{text}' is neither all nor own";
        return fault is null;
    }

    /// <summary><c>A-B</c>, at most <paramref name="most"/> ports.</summary>
    public static TextReader<PortRange?> Ports(int most) => (string text, out PortRange? value, out string? fault) =>
    {
        string[] ends = text.Split('-');
        bool good = ends.Length == 2
            & int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            & int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            && first >= 1024 && last <= HostPort.PortMax && last >= first && last - first < most;
        value = good ? new PortRange(first, last) : null;
        fault = good ? null : $"'{text}' is not a range of ports: give FIRST-LAST within 1024-65535, at most {most} ports, such as 50000-50099";
        return good;
    };

    public static bool UserTimeoutText(string text, out UserTimeout value, out string? fault)
    {
        value = UserTimeout.Derived;
        fault = null;
        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase)) return true;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            value = UserTimeout.Off;
            return true;
        }

        if (!DurationWithin(UserTimeout.Min, UserTimeout.Max)(text, out TimeSpan duration, out fault))
        {
            fault += "; or 'auto' for the detection time, 'off' for the kernel's own limit";
            return false;
        }

        value = UserTimeout.Of(duration);
        return true;
    }
}
