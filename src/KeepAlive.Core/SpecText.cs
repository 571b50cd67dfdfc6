using System.Globalization;

namespace KeepAlive.Core;

/// <summary>The grammar of SPEC. Strict: what it does not understand it names, all of it at once.</summary>
internal static class SpecText
{
    private const string Shape = "write idle:count:interval (60:4:15, 2h:9:75s), idle=60s,count=4,interval=15s, on or off";

    public static bool TryParse(string text, out KeepAliveSpec spec, out string? faults)
    {
        string trimmed = text.Trim();
        spec = default;
        faults = null;
        if (trimmed.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        if (trimmed.Equals("on", StringComparison.OrdinalIgnoreCase))
        {
            spec = KeepAliveSpec.On;
            return true;
        }

        var found = new List<string>();
        KeepAlivePolicy? policy = trimmed.Contains('=', StringComparison.Ordinal) ? Named(trimmed, found)
            : trimmed.Contains(':', StringComparison.Ordinal) ? Ordered(trimmed, found) : null;
        if (policy is null && found.Count == 0) found.Add($"'{trimmed}' is not a keepalive policy: {Shape}");
        if (policy is null) faults = string.Join("; ", found);
        else spec = KeepAliveSpec.Of(policy);
        return policy is not null;
    }

    private static KeepAlivePolicy? Ordered(string text, List<string> faults)
    {
        string[] parts = text.Split(':');
        if (parts.Length != 3)
        {
            faults.Add($"'{text}' has {parts.Length} parts, not 3: {Shape}");
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
            if (pair.Length < 2) faults.Add($"'{part.Trim()}' is not name=value: names are idle, count, interval");
            else if (name is not ("idle" or "count" or "interval")) faults.Add($"'{name}' is not a part: names are idle, count, interval");
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
        if (Duration.TryParse(text.Trim(), out TimeSpan value)) return value;
        faults.Add(text.Trim().Length == 0
            ? $"{name} is empty: give seconds, or a duration such as 90s, 2m30s, 500ms"
            : $"{name} '{text.Trim()}' is not a duration: give seconds, or a duration such as 90s, 2m30s, 500ms");
        return KeepAlivePolicy.Default.Idle;
    }

    private static int ParseCount(string text, string? interval, List<string> faults)
    {
        string trimmed = text.Trim();
        if (int.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count)) return count;
        // nginx's so_keepalive is idle:interval:count; a unit in the middle is the sign of it.
        faults.Add(interval is not null && Duration.TryParse(trimmed, out _)
            ? $"count '{trimmed}' has a unit: the order is idle:count:interval (nginx writes idle:interval:count); did you mean count={interval.Trim()},interval={trimmed}?"
            : $"count '{trimmed}' is not a whole number: give {KeepAlivePolicy.CountMin} to {KeepAlivePolicy.CountMax} probes");
        return KeepAlivePolicy.Default.Count;
    }
}
