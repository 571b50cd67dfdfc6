namespace KeepAlive.Paths.Measure;

/// <summary>Which policy a path asks for.</summary>
internal static class PathAdvice
{
    private const int Count = 4;

    // idle = 3/7 T and interval = idle/6: the last of the four probes is out at 9/14 T, so that three lost in a row leave a third of T to spare.
    private const double IdlePart = 3.0 / 7;
    private const double IntervalPart = 1.0 / 6;

    // Beyond it idle saves nothing worth having, and RFC 1122's default is there.
    private static readonly TimeSpan IdleMax = TimeSpan.FromHours(2);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>A policy that keeps a flow through a middlebox with this idle timeout, also when probes are lost.</summary>
    /// <param name="timeout">The longest silence that is survived.</param>
    /// <returns>In whole seconds, as kernels count; null when the timeout is too short for them: less than 7/3 s.</returns>
    public static KeepAlivePolicy? For(TimeSpan timeout)
    {
        if (timeout * IdlePart < Second) return null;
        TimeSpan idle = Round(timeout * IdlePart);
        TimeSpan interval = TimeSpan.FromSeconds(Math.Max(1, Math.Floor(idle.TotalSeconds * IntervalPart)));
        return new KeepAlivePolicy(idle, Count, interval);
    }

    // To two digits: 153 s is no better than 150.
    private static TimeSpan Round(TimeSpan time)
    {
        if (time > IdleMax) return IdleMax;
        double seconds = time.TotalSeconds, unit = seconds < 10 ? 1 : Math.Pow(10, Math.Floor(Math.Log10(seconds)) - 1);
        return TimeSpan.FromSeconds(Math.Round(seconds / unit) * unit);
    }
}
