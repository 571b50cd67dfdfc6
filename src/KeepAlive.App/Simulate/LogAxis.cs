namespace KeepAlive.App.Simulate;

/// <summary>A logarithmic axis from one round number to another.</summary>
/// <param name="Ticks">Round numbers from its beginning to its end, both included; above zero.</param>
/// <param name="From">Where it begins in the drawing.</param>
/// <param name="To">Where it ends.</param>
internal sealed record LogAxis(IReadOnlyList<double> Ticks, double From, double To)
{
    private const int TicksMax = 11;
    private const double Day = 86_400;

    /// <summary>1, 2, 5, 10 ... of anything.</summary>
    public static IReadOnlyList<double> Decades { get; } = [.. from power in Enumerable.Range(-2, 16) from step in (double[])[1, 2, 5] select step * Math.Pow(10, power)];

    /// <summary>Seconds, minutes, hours and days as clocks have them, in seconds.</summary>
    public static IReadOnlyList<double> Clock { get; } =
    [
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200,
        Day, 2 * Day, 5 * Day, 10 * Day, 20 * Day, 50 * Day, 100 * Day, 200 * Day, 500 * Day, 1000 * Day, 10_000 * Day, 100_000 * Day, 1_000_000 * Day,
    ];

    /// <summary>One that shows all values, with room around them.</summary>
    public static LogAxis Around(IEnumerable<double> values, IReadOnlyList<double> round, double from, double to)
    {
        double[] all = [.. values.Select(v => Math.Clamp(v, round[0] * 1.01, round[^1] * 0.99))];
        double least = round.Last(r => r < all.Min()), most = round.First(r => r > all.Max());
        double[] ticks = [.. round.Where(r => r >= least && r <= most)];
        // Too many: every second or third, but both ends always.
        int step = 1 + (ticks.Length / TicksMax);
        return new LogAxis([.. ticks.Where((_, i) => i % step == 0 || i == ticks.Length - 1)], from, to);
    }

    public double At(double value) => From + ((To - From) * Math.Log(Math.Clamp(value, Ticks[0], Ticks[^1]) / Ticks[0]) / Math.Log(Ticks[^1] / Ticks[0]));
}
