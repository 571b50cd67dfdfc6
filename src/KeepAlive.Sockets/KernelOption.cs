using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>One socket option at level IPPROTO_TCP: its number, unit and limits.</summary>
/// <param name="Which">What it sets.</param>
/// <param name="Name">The option's name in the platform's header.</param>
/// <param name="Number">The option's number there.</param>
/// <param name="Unit">What one stands for; zero for a plain count.</param>
/// <param name="Min">Least value the kernel takes, in units.</param>
/// <param name="Max">Greatest value the kernel takes, in units; 4 bytes, so at most <see cref="int.MaxValue"/>.</param>
internal sealed record KernelOption(KernelKeepAliveOption Which, string Name, int Number, TimeSpan Unit, int Min, int Max)
{
    /// <summary>IPPROTO_TCP, the same number everywhere (IANA protocol numbers).</summary>
    public const int Level = 6;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    public static KernelOption Seconds(KernelKeepAliveOption which, string name, int number, int min, int max) =>
        new(which, name, number, Second, min, max);

    public static KernelOption Milliseconds(KernelKeepAliveOption which, string name, int number, int min, int max) =>
        new(which, name, number, Millisecond, min, max);

    public static KernelOption Probes(string name, int number, int max) =>
        new(KernelKeepAliveOption.Count, name, number, TimeSpan.Zero, 1, max);

    /// <summary>The value for a duration no longer than asked where the limits allow it; a refresh must not come later than asked.</summary>
    public int RoundDown(TimeSpan asked, out Shortfall? shortfall) =>
        Fit(asked, asked.Ticks / Unit.Ticks, "rounded down so that the refresh never comes later than asked", out shortfall);

    /// <summary>The value for a duration no shorter than asked where the limits allow it; patience must not end earlier than asked.</summary>
    public int RoundUp(TimeSpan asked, out Shortfall? shortfall) =>
        Fit(asked, (asked.Ticks / Unit.Ticks) + (asked.Ticks % Unit.Ticks == 0 ? 0 : 1),
            "rounded up so that it never waits less than asked", out shortfall);

    /// <summary>The value for a count.</summary>
    public int Clamp(int asked, out Shortfall? shortfall)
    {
        int value = Math.Clamp(asked, Min, Max);
        shortfall = value == asked ? null : new Shortfall(Which, Text(asked), Text(value), Limit(value));
        return value;
    }

    /// <summary>A value of this option as people read it.</summary>
    public string Text(long value) => Unit == TimeSpan.Zero
        ? value.ToString(System.Globalization.CultureInfo.InvariantCulture)
        : Duration.Format(value * Unit);

    private int Fit(TimeSpan asked, long units, string rounding, out Shortfall? shortfall)
    {
        int value = (int)Math.Clamp(units, Min, Max);
        TimeSpan effective = value * Unit;
        string why = value == units ? $"{Name} counts whole {(Unit == Second ? "seconds" : "milliseconds")}; {rounding}" : Limit(value);
        shortfall = effective == asked ? null : new Shortfall(Which, Duration.Format(asked), Duration.Format(effective), why);
        return value;
    }

    private string Limit(int value) => $"{Name} takes at {(value == Min ? "least" : "most")} {Text(value)}";
}
