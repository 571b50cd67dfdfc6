using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Sockets;

/// <summary>
/// The race of RFC 8305 section 5: the next address starts when the one before has failed, or has not been decided for
/// the attempt delay; the first connection wins and every other one is closed.
/// </summary>
/// <typeparam name="T">A connection: a socket, or a stand-in whose closing can be watched.</typeparam>
/// <param name="connect">Connects to one address; a failure is a <see cref="SocketException"/>.</param>
/// <param name="wait">Waits for a time: the clock is the caller's.</param>
internal sealed class ConnectRace<T>(Func<IPAddress, CancellationToken, Task<T>> connect, Func<TimeSpan, CancellationToken, Task> wait)
    where T : class, IDisposable
{
    /// <summary>Connection Attempt Delay, the recommended value of RFC 8305 section 8.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    private readonly List<(IPAddress Address, Task<T> Task)> _running = [];
    private readonly List<DialAttempt> _ended = [];

    /// <summary>Addresses tried so far without success, in the order in which they failed.</summary>
    public IReadOnlyList<DialAttempt> Ended => _ended;

    /// <summary>Addresses under way, in the order in which they began.</summary>
    public IEnumerable<IPAddress> Undecided => _running.Select(r => r.Address);

    /// <summary>Runs the race. One race per instance.</summary>
    /// <returns>The winner; null when every address has failed.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; what was under way is closed.</exception>
    public async Task<T?> RunAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            for (int next = 0; next < addresses.Count || _running.Count > 0;)
            {
                if (next < addresses.Count) Start(addresses[next++], stop.Token);
                if (await FirstAsync(mayStartMore: next < addresses.Count, stop.Token).ConfigureAwait(false) is { } winner) return winner;
            }

            return null;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach ((_, Task<T> loser) in _running) _ = CloseAsync(loser);
        }
    }

    private void Start(IPAddress address, CancellationToken cancellation) => _running.Add((address, connect(address, cancellation)));

    /// <summary>The first connection; null when it is time to start another, or nothing is left to wait for.</summary>
    private async Task<T?> FirstAsync(bool mayStartMore, CancellationToken cancellation)
    {
        using var timerStop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task timer = wait(mayStartMore ? AttemptDelay : Timeout.InfiniteTimeSpan, timerStop.Token);
        try
        {
            while (_running.Count > 0)
            {
                Task done = await Task.WhenAny([timer, .. _running.Select(r => r.Task)]).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                // A connection that is there counts, even if the timer has just ended too.
                if (Settle() is { } winner) return winner;
                if (mayStartMore) return null;
                if (done == timer) await timer.ConfigureAwait(false);
            }

            return null;
        }
        finally
        {
            await timerStop.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Takes what has ended off the running attempts: failures are noted, a connection is returned.</summary>
    private T? Settle()
    {
        for (int i = 0; i < _running.Count;)
        {
            (IPAddress address, Task<T> task) = _running[i];
            if (!task.IsCompleted)
            {
                i++;
                continue;
            }

            _running.RemoveAt(i);
            if (task.IsCompletedSuccessfully) return task.Result;
            Exception failure = task.Exception?.InnerException ?? new TaskCanceledException(task);
            _ended.Add(failure is SocketException error
                ? new DialAttempt(address, error.SocketErrorCode, error.Message)
                : new DialAttempt(address, SocketError.SocketError, failure.Message));
        }

        return null;
    }

    private static async Task CloseAsync(Task<T> loser)
    {
        try
        {
            (await loser.ConfigureAwait(false)).Dispose();
        }
        catch (Exception)
        {
            // It lost: how it failed is of no interest, and its connect has closed its own socket.
        }
    }
}
