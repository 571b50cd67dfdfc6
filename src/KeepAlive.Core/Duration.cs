using System.Globalization;

namespace KeepAlive.Core;

/// <summary>Durations as people write them: <c>90</c> (seconds), <c>1.5s</c>, <c>500ms</c>, <c>2h11m15s</c>, <c>1d</c>.</summary>
internal static class Duration
{
    private static readonly System.Buffers.SearchValues<char> NumberChars = System.Buffers.SearchValues.Create("0123456789.");

    // The first number of ticks that does not fit a TimeSpan.
    private const decimal TooManyTicks = long.MaxValue + 1m;

    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Shortest exact text: <c>60s</c> and below in seconds, then <c>2m0s</c>, <c>2h11m15s</c>, <c>1d0h0m0s</c>; <c>500ms</c>.</summary>
    public static string Format(TimeSpan value)
    {
        if (value.Ticks >= 0 && value.Ticks % TimeSpan.TicksPerSecond == 0) return Whole(value.Ticks / TimeSpan.TicksPerSecond);

        // In decimal, as the least TimeSpan has no positive counterpart.
        decimal ticks = value.Ticks;
        return ticks < 0 ? "-" + Format(-ticks) : Format(ticks);
    }

    // Nearly all that are shown, by the ten thousand in a listing.
    private static string Whole(long seconds)
    {
        if (seconds <= 60) return $"{seconds}s";
        long minutes = seconds / 60, rest = seconds % 60;
        if (minutes < 60) return $"{minutes}m{rest}s";
        if (minutes < 1440) return $"{minutes / 60}h{minutes % 60}m{rest}s";
        return $"{minutes / 1440}d{minutes / 60 % 24}h{minutes % 60}m{rest}s";
    }

    private static string Format(decimal ticks)
    {
        static string text(decimal number) => number.ToString("0.#######", CultureInfo.InvariantCulture);
        if (ticks > 0 && ticks < TimeSpan.TicksPerSecond) return text(ticks / TimeSpan.TicksPerMillisecond) + "ms";
        decimal seconds = ticks / TimeSpan.TicksPerSecond;
        if (seconds <= 60) return text(seconds) + "s";
        long minutes = (long)(seconds / 60);
        string tail = text(seconds % 60) + "s";
        if (minutes < 60) return $"{minutes}m{tail}";
        if (minutes < 1440) return $"{minutes / 60}h{minutes % 60}m{tail}";
        return $"{minutes / 1440}d{minutes / 60 % 24}h{minutes % 60}m{tail}";
    }

    /// <summary>Reads <c>90</c> as seconds, or number-unit pairs from large to small: d, h, m, s, ms. No sign, no spaces.</summary>
    /// <returns>False, and zero, when the text is not a duration or does not fit a <see cref="TimeSpan"/>.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan value) => Read(text, out value) == DurationReading.Good;

    /// <summary>As <see cref="TryParse"/>, and tells what is no duration from what is too long a one.</summary>
    internal static DurationReading Read(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = default;
        decimal ticks = 0;
        int lastUnit = -1;
        if (IsNumber(text)) ticks = Ticks(text, TimeSpan.TicksPerSecond);
        else
        {
            while (!text.IsEmpty)
            {
                int digits = text.IndexOfAnyExcept(NumberChars);
                if (digits <= 0 || !IsNumber(text[..digits])) return DurationReading.Bad;
                ReadOnlySpan<char> number = text[..digits];
                text = text[digits..];
                int letters = text.IndexOfAny(NumberChars) is var at and >= 0 ? at : text.Length;
                int unit = UnitIndex(text[..letters]);
                if (unit <= lastUnit) return DurationReading.Bad;
                ticks = Math.Min(TooManyTicks, ticks + Ticks(number, Units[unit].Ticks));
                lastUnit = unit;
                text = text[letters..];
            }

            if (lastUnit < 0) return DurationReading.Bad;
        }

        if (ticks >= TooManyTicks) return DurationReading.TooLong;
        value = new TimeSpan((long)ticks);
        return DurationReading.Good;
    }

    private static int UnitIndex(ReadOnlySpan<char> name)
    {
        for (int i = 0; i < Units.Length; i++)
            if (name.Equals(Units[i].Unit, StringComparison.OrdinalIgnoreCase)) return i;
        return -1;
    }

    private static bool IsNumber(ReadOnlySpan<char> text) =>
        text.ContainsAnyInRange('0', '9') && !text.ContainsAnyExcept(NumberChars) && text.Count('.') <= 1;

    // Each part on its own is cut to whole ticks, 100 ns; digits below that mean nothing.
    private static decimal Ticks(ReadOnlySpan<char> number, long unit) =>
        decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count) && count < TooManyTicks / unit
            ? decimal.Truncate(count * unit) : TooManyTicks;
}

/// <summary>What reading a duration came to.</summary>
internal enum DurationReading
{
    /// <summary>A duration.</summary>
    Good,

    /// <summary>Not a duration.</summary>
    Bad,

    /// <summary>One that does not fit a <see cref="TimeSpan"/>.</summary>
    TooLong,
}
