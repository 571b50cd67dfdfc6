using KeepAlive.Core;

namespace KeepAlive.App.Ping;

/// <summary>A probe that went out.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Text">What was sent.</param>
/// <param name="At">When.</param>
internal sealed record SentProbe(int Number, string Text, Instant At);

/// <summary>Probes and answers, counted.</summary>
internal sealed class PingTally
{
    private readonly List<SentProbe> _open = [];
    private readonly List<double> _roundTrips = [];
    private double _sum;
    private double _sumOfSquares;

    public int Sent { get; private set; }

    public int Answered { get; private set; }

    public int Lost => Sent - Answered;

    /// <summary>Sent, and not answered yet.</summary>
    public IReadOnlyList<SentProbe> Open => _open;

    public SentProbe OnSent(string text, Instant now)
    {
        var sent = new SentProbe(++Sent, text, now);
        _open.Add(sent);
        return sent;
    }

    /// <summary>An answer came.</summary>
    /// <param name="took">Since which probe, where that is known: the one sent so long ago was answered, otherwise the oldest.</param>
    /// <param name="now">When.</param>
    /// <returns>The probe; null when none is open.</returns>
    public SentProbe? OnAnswered(TimeSpan? took, Instant now)
    {
        if (_open.Count == 0) return null;
        SentProbe sent = took is { } span ? _open.MinBy(probe => (now - probe.At - span).Duration())! : _open[0];
        _open.Remove(sent);
        Answered++;
        return sent;
    }

    /// <summary>How long it took, for those whose round trip is known.</summary>
    public void Measure(TimeSpan took)
    {
        double ms = took.TotalMilliseconds;
        _roundTrips.Add(ms);
        (_sum, _sumOfSquares) = (_sum + ms, _sumOfSquares + (ms * ms));
    }

    /// <summary>Least, mean, greatest and standard deviation in milliseconds, as ping(8) has them; null without any.</summary>
    public (double Min, double Avg, double Max, double Mdev)? RoundTrips
    {
        get
        {
            if (_roundTrips.Count == 0) return null;
            double mean = _sum / _roundTrips.Count;
            return (_roundTrips.Min(), mean, _roundTrips.Max(), Math.Sqrt(Math.Max(0, (_sumOfSquares / _roundTrips.Count) - (mean * mean))));
        }
    }
}
