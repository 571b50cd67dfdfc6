using System.Globalization;

namespace KeepAlive.Core;

/// <summary>Durations as people write them: <c>90</c> (seconds), <c>1.5s</c>, <c>500ms</c>, <c>2h11m15s</c>, <c>1d</c>.</summary>
public static class Duration
{
    private static readonly System.Buffers.SearchValues<char> NumberChars = System.Buffers.SearchValues.Create("0123456789.");

    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Shortest exact text: <c>60s</c> and below in seconds, then <c>2m0s</c>, <c>2h11m15s</c>, <c>1d0h0m0s</c>; <c>500ms</c>.</summary>
    public static string Format(TimeSpan value)
    {
        if (value < TimeSpan.Zero) return "-" + Format(value.Negate());
        if (value > TimeSpan.Zero && value < TimeSpan.FromSeconds(1))
            return (value.Ticks / (decimal)TimeSpan.TicksPerMillisecond).ToString("0.####", CultureInfo.InvariantCulture) + "ms";
        decimal seconds = value.Ticks / (decimal)TimeSpan.TicksPerSecond;
        string text(decimal s) => s.ToString("0.#######", CultureInfo.InvariantCulture);
        if (seconds <= 60) return text(seconds) + "s";
        long minutes = (long)(seconds / 60);
        string tail = text(seconds % 60) + "s";
        if (minutes < 60) return $"{minutes}m{tail}";
        if (minutes < 1440) return $"{minutes / 60}h{minutes % 60}m{tail}";
        return $"{minutes / 1440}d{minutes / 60 % 24}h{minutes % 60}m{tail}";
    }

    /// <summary>Reads <c>90</c> as seconds, or number-unit pairs from large to small: d, h, m, s, ms.</summary>
    /// <returns>False when the text is not a duration or does not fit a <see cref="TimeSpan"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = default;
        if (TryNumber(text, out decimal bare)) return TryScale(bare, TimeSpan.TicksPerSecond, out value);
        int lastUnit = -1;
        while (!text.IsEmpty)
        {
            int digits = text.IndexOfAnyExcept(NumberChars);
            if (digits <= 0 || !TryNumber(text[..digits], out decimal number)) return false;
            text = text[digits..];
            int letters = text.IndexOfAny(NumberChars) is var at and >= 0 ? at : text.Length;
            int unit = UnitIndex(text[..letters]);
            if (unit <= lastUnit || !TryScale(number, Units[unit].Ticks, out TimeSpan part)) return false;
            if (value.Ticks > TimeSpan.MaxValue.Ticks - part.Ticks) return false;
            value += part;
            lastUnit = unit;
            text = text[letters..];
        }
        return lastUnit >= 0;
    }

    private static int UnitIndex(ReadOnlySpan<char> name)
    {
        for (int i = 0; i < Units.Length; i++)
            if (name.Equals(Units[i].Unit, StringComparison.OrdinalIgnoreCase)) return i;
        return -1;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out decimal number) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);

    private static bool TryScale(decimal number, long ticks, out TimeSpan value)
    {
        value = default;
        if (number > long.MaxValue / ticks) return false;
        value = new TimeSpan((long)(number * ticks));
        return true;
    }
}
