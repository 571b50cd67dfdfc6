namespace KeepAlive.App.Live;

/// <summary>
/// Four times a second, while anybody listens: what is known is brought up to date once for all of them, then they are told. With nobody
/// there it rests.
/// </summary>
/// <param name="refresh">Brings it up to date; told the number of the tick, and what anybody listens to.</param>
internal sealed class LiveTicker(Action<long, IReadOnlySet<string>> refresh)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<object, IReadOnlySet<string>> _listeners = [];
    private TaskCompletionSource _next = Fresh();
    private bool _isRunning;

    /// <summary>How many listen.</summary>
    public int Listeners
    {
        get
        {
            lock (_lock) return _listeners.Count;
        }
    }

    /// <summary>Done at the next tick.</summary>
    public Task Next
    {
        get
        {
            lock (_lock) return _next.Task;
        }
    }

    /// <summary>Somebody listens from now on.</summary>
    /// <param name="topics">To what.</param>
    /// <param name="most">How many may.</param>
    /// <returns>To be disposed when they do no more; null when so many do already.</returns>
    public IDisposable? Join(IReadOnlySet<string> topics, int most)
    {
        lock (_lock)
        {
            if (_listeners.Count >= most) return null;
            var listening = new Listening(this);
            _listeners.Add(listening, topics);
            if (!_isRunning) _ = Task.Run(RunAsync);
            _isRunning = true;
            return listening;
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Period);
        for (long tick = 0; TryGetTopics(out HashSet<string> topics); tick++)
        {
            Refresh(tick, topics);
            TaskCompletionSource told;
            lock (_lock) (told, _next) = (_next, Fresh());
            told.SetResult();
            await timer.WaitForNextTickAsync().ConfigureAwait(false);
        }
    }

    // A fault of our own costs this tick, not those who listen.
    private void Refresh(long tick, HashSet<string> topics)
    {
        try
        {
            refresh(tick, topics);
        }
        catch (Exception e)
        {
            CommandLine.Complain($"keepalive up: a fault of our own: {e.GetType().Name}: {e.Message}");
        }
    }

    private bool TryGetTopics(out HashSet<string> topics)
    {
        lock (_lock)
        {
            topics = [.. _listeners.Values.SelectMany(t => t)];
            _isRunning = _listeners.Count > 0;
            return _isRunning;
        }
    }

    private void Leave(Listening listening)
    {
        lock (_lock) _listeners.Remove(listening);
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Listening(LiveTicker ticker) : IDisposable
    {
        public void Dispose() => ticker.Leave(this);
    }
}
