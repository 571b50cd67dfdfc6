using KeepAlive.App.Ping;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.App.Measure;

/// <summary>What an ordinary server tells of a path: this side has to speak first.</summary>
/// <param name="Low">The longest silence after which it answered; zero for none.</param>
/// <param name="High">The shortest after which it did not; null where it always did.</param>
/// <param name="Lost">What became of the session that was silent for so long; null for none.</param>
/// <param name="Sessions">How many were opened.</param>
/// <param name="Took">How long all took.</param>
internal sealed record LadderFinding(TimeSpan Low, TimeSpan? High, PingVerdict? Lost, int Sessions, TimeSpan Took);

/// <summary>
/// Silences of growing length, each a session of its own that is pinged when it is over:
/// <code>
/// first round    5s answered · 8s answered · 12s answered · 18s no answer ─▶ between 12 and 18
/// second round   13s answered · 14s no answer · ...                       ─▶ between 13 and 14
/// </code>
/// Few sessions, as servers have few to give; so the bracket is some hundredths wide.
/// </summary>
internal sealed class PingLadder(PingCall call, TimeSpan max, TimeSpan timeout, Action<string> tell)
{
    private const int Rungs = 12, Steps = 6;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    private static readonly KeepAlivePolicy Patience = new(TimeSpan.FromSeconds(1), 1, TimeSpan.FromSeconds(4));

    private readonly Instant _begun = MonotonicClock.Now;
    private int _sessions;

    /// <summary>Climbs it.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="PingLadderException">No session could be opened.</exception>
    public async Task<LadderFinding> RunAsync(CancellationToken stop)
    {
        double ratio = Math.Pow(max / Shortest, 1.0 / (Rungs - 1));
        (TimeSpan low, TimeSpan? high, PingVerdict? lost) = await RoundAsync([.. Enumerable.Range(0, Rungs).Select(i => Shortest * Math.Pow(ratio, i))], stop).ConfigureAwait(false);
        if (high is { } above && low > TimeSpan.Zero)
        {
            (TimeSpan Low, TimeSpan? High, PingVerdict? Lost) fine = await RoundAsync([.. Enumerable.Range(1, Steps).Select(i => low + ((above - low) * i / (Steps + 1)))], stop).ConfigureAwait(false);
            if (fine.Low > low) low = fine.Low;
            if (fine.High is not null) (high, lost) = (fine.High, fine.Lost);
        }

        return new LadderFinding(low, high, lost, _sessions, MonotonicClock.Now - _begun);
    }

    // Ends with the first that is not answered, once the shorter ones have been.
    private async Task<(TimeSpan Low, TimeSpan? High, PingVerdict? Lost)> RoundAsync(TimeSpan[] silences, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<PingVerdict>[] running = [.. silences.Select(silence => PingAsync(silence, end.Token))];
        TimeSpan low = TimeSpan.Zero;
        try
        {
            for (int i = 0; i < running.Length; i++)
            {
                PingVerdict verdict = await running[i].ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                tell($"silent for {PingVerdict.Seconds(silences[i])}: {verdict.Name}");
                if (verdict.Outcome is PingOutcome.Unreachable or PingOutcome.Strange) throw new PingLadderException(verdict.Text);
                if (verdict.Outcome != PingOutcome.Alive) return (low, silences[i], verdict);
                low = silences[i];
            }

            return (low, null, null);
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll((IEnumerable<Task>)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<PingVerdict> PingAsync(TimeSpan silence, CancellationToken stop)
    {
        _sessions++;
        var stopped = new TaskCompletionSource();
        using CancellationTokenRegistration registration = stop.Register(stopped.SetResult);
        var plan = new PingPlan(Patience, Count: 1, silence, timeout);
        return await call.PingAsync(plan, new PingReport(TextWriter.Null, isJson: false), new PingTally(), stopped.Task).ConfigureAwait(false);
    }
}

/// <summary>No session could be opened, or none that can be pinged: why.</summary>
internal sealed class PingLadderException(string message) : Exception(message);
