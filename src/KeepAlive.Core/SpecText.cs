using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace KeepAlive.Core;

/// <summary>The grammar of SPEC. Strict: what it does not understand it names, all of it at once.</summary>
internal static class SpecText
{
    private const string Shape = "write idle:count:interval (60:4:15, 2h:9:75s), idle=60s,count=4,interval=15s, on or off";

    // Twice the longest that has a meaning: more is a mistake, and its faults would fill a screen.
    private const int LengthMax = 200;

    // Of the text that a fault quotes.
    private const int ShownMax = 60;

    public static bool TryParse(string? text, out KeepAliveSpec spec, [NotNullWhen(false)] out string? faults)
    {
        string trimmed = text?.Trim() ?? "";
        spec = default;
        faults = trimmed.Length > LengthMax ? $"{Shown(trimmed)} is {trimmed.Length} characters long, more than {LengthMax}: {Shape}" : null;
        if (faults is not null) return false;
        if (trimmed.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        if (trimmed.Equals("on", StringComparison.OrdinalIgnoreCase))
        {
            spec = KeepAliveSpec.On;
            return true;
        }

        var found = new List<string>();
        KeepAlivePolicy? policy = trimmed.Contains('=', StringComparison.Ordinal) ? Named(trimmed, found)
            : trimmed.Contains(':', StringComparison.Ordinal) ? Ordered(trimmed, found) : null;
        if (policy is null && found.Count == 0) found.Add($"{Shown(trimmed)} is not a keepalive policy: {Shape}");
        if (policy is null) faults = string.Join("; ", found);
        else spec = KeepAliveSpec.Of(policy);
        return policy is not null;
    }

    private static KeepAlivePolicy? Ordered(string text, List<string> faults)
    {
        string[] parts = text.Split(':');
        if (parts.Length != 3)
        {
            faults.Add($"{Shown(text)} has {parts.Length} parts, not 3: {Shape}");
            return null;
        }

        TimeSpan idle = ParseDuration("idle", parts[0], faults);
        int count = ParseCount(parts[1], parts[2], faults);
        TimeSpan interval = ParseDuration("interval", parts[2], faults);
        return Build(idle, count, interval, faults);
    }

    private static KeepAlivePolicy? Named(string text, List<string> faults)
    {
        TimeSpan? idle = null, interval = null;
        int? count = null;
        foreach (string part in text.Split(','))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            string name = pair[0].ToLowerInvariant();
            if (pair.Length < 2) faults.Add($"{Shown(part.Trim())} is not name=value: names are idle, count, interval");
            else if (name is not ("idle" or "count" or "interval")) faults.Add($"{Shown(name)} is not a part: names are idle, count, interval");
            else if (name switch { "idle" => idle is not null, "count" => count is not null, _ => interval is not null })
                faults.Add($"{name} is given twice: give it once");
            else if (name == "idle") idle = ParseDuration(name, pair[1], faults);
            else if (name == "interval") interval = ParseDuration(name, pair[1], faults);
            else count = ParseCount(pair[1], null, faults);
        }

        KeepAlivePolicy rest = KeepAlivePolicy.Default;
        return Build(idle ?? rest.Idle, count ?? rest.Count, interval ?? rest.Interval, faults);
    }

    // Text that did not parse already has its fault; the stand-in values of such parts are valid, so no fault is named twice.
    private static KeepAlivePolicy? Build(TimeSpan idle, int count, TimeSpan interval, List<string> faults)
    {
        faults.AddRange(KeepAlivePolicy.Faults(idle, count, interval));
        return faults.Count == 0 ? new KeepAlivePolicy(idle, count, interval) : null;
    }

    private static TimeSpan ParseDuration(string name, string text, List<string> faults)
    {
        const string Give = "give seconds, or a duration such as 90s, 2m30s, 500ms";
        string trimmed = text.Trim();
        DurationReading reading = Duration.Read(trimmed, out TimeSpan value);
        if (reading == DurationReading.Good) return value;
        // Its fault is the range's to name.
        if (trimmed.StartsWith('-') && Duration.TryParse(trimmed.AsSpan(1), out value)) return value.Negate();
        faults.Add(reading == DurationReading.TooLong ? $"{name} {KeepAlivePolicy.TooLong(Shown(trimmed))}"
            : trimmed.Length == 0 ? $"{name} is empty: {Give}" : $"{name} {Shown(trimmed)} is not a duration: {Give}");
        return KeepAlivePolicy.Default.Idle;
    }

    private static int ParseCount(string text, string? interval, List<string> faults)
    {
        string trimmed = text.Trim();
        if (int.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count)) return count;
        faults.Add(CountFault(trimmed, interval?.Trim()));
        return KeepAlivePolicy.Default.Count;
    }

    private static string CountFault(string count, string? interval)
    {
        string give = $"give {KeepAlivePolicy.CountMin} to {KeepAlivePolicy.CountMax} probes";
        if (count.Length == 0) return $"count is empty: {give}";
        if (!count.AsSpan(count[0] is '-' or '+' ? 1 : 0).ContainsAnyExceptInRange('0', '9') && count.Length > 1) return KeepAlivePolicy.OutsideCount(Shown(count));
        // nginx's so_keepalive is idle:interval:count; a unit in the middle is the sign of it.
        bool swapped = interval is not null && char.IsAsciiLetter(count[^1]) && Duration.TryParse(count, out _);
        if (!swapped) return $"count {Shown(count)} is not a whole number: {give}";
        const string Order = "the order is idle:count:interval (nginx writes idle:interval:count)";
        return int.TryParse(interval, NumberStyles.None, CultureInfo.InvariantCulture, out int meant) && meant is >= KeepAlivePolicy.CountMin and <= KeepAlivePolicy.CountMax
            ? $"count {Shown(count)} has a unit: {Order}; did you mean count={interval},interval={count}?"
            : $"count {Shown(count)} has a unit: {Order}; {give}";
    }

    // What a user typed comes back on a terminal and in one line: bounded, and with nothing in it that a terminal obeys.
    private static string Shown(string text)
    {
        var shown = new StringBuilder("'");
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length > ShownMax) return shown.Append("…'").ToString();
            shown.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? "\uFFFD" : rune.ToString());
        }

        return shown.Append('\'').ToString();
    }
}
