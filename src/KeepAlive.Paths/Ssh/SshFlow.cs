using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Paths.Ssh;

/// <summary>Drives an SSH session over a socket, in either role, until it ends.</summary>
internal sealed class SshFlow : IDisposable
{
    private const int ReadBytes = 16 * 1024;

    // While more waits to be sent nothing is read: the peer would otherwise have answers piled up for it that it does not take.
    private const int WaitingBytesMax = 64 * 1024;

    // For the goodbye. A peer that is dead does not take it, and is not waited for.
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(1);

    // The system's timers count milliseconds, and the longest fits in 32 bits of them.
    private static readonly TimeSpan WaitMax = TimeSpan.FromDays(1);

    private readonly Socket _socket;
    private readonly SshSession _session;
    private readonly Action<SshEvent> _tell;
    private readonly byte[] _buffer = new byte[ReadBytes];

    /// <summary>A flow.</summary>
    /// <param name="socket">Connected; owned from now on.</param>
    /// <param name="session">Not begun yet; owned from now on.</param>
    /// <param name="tell">Told every event, in order, by the flow's task.</param>
    public SshFlow(Socket socket, SshSession session, Action<SshEvent> tell) => (_socket, _session, _tell) = (socket, session, tell);

    private static Instant Now => PathClock.Now;

    /// <summary>Runs to the session's end and closes the connection.</summary>
    /// <param name="stop">Ends the session with a goodbye.</param>
    /// <returns>How it ended. Nothing that the peer or the network does makes it throw.</returns>
    public async Task<SshEnd> RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource closing = new();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stop.Register(stopped.SetResult);
        Task<int>? reading = null;
        Task? sending = null;
        _session.Begin(Now);
        while (true)
        {
            while (_session.TryTakeEvent(out SshEvent? e)) _tell(e);
            if (sending is null && !_session.Output.IsEmpty) sending = SendAsync(closing.Token);
            if (_session.End is not null) break;
            if (_session.Output.Length <= WaitingBytesMax) reading ??= ReadAsync(closing.Token);
            await WaitAsync(reading, sending, stopped.Task).ConfigureAwait(false);

            if (stopped.Task.IsCompleted) _session.Disconnect("stopped");
            if (sending is { IsCompleted: true })
            {
                if (await FaultOfAsync(sending).ConfigureAwait(false) is { } fault) _session.OnClosed(fault);
                sending = null;
            }

            if (reading is { IsCompleted: true })
            {
                if (await FaultOfAsync(reading).ConfigureAwait(false) is { } fault) _session.OnClosed(fault);
                else if (await reading.ConfigureAwait(false) is > 0 and int bytes) _session.Receive(_buffer.AsSpan(0, bytes), Now);
                else _session.OnClosed("the peer closed the connection without a goodbye");
                reading = null;
            }

            _session.OnDeadline(Now);
        }

        await CloseAsync(sending, closing).ConfigureAwait(false);
        if (reading is not null) await FaultOfAsync(reading).ConfigureAwait(false);
        return _session.End;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _session.Dispose();
    }

    private async Task WaitAsync(Task? reading, Task? sending, Task stopped)
    {
        Task[] events = [.. ((Task?[])[reading, sending, stopped]).OfType<Task>()];
        TimeSpan wait = _session.Deadline - Now;
        if (_session.Deadline == Instant.Never || wait > WaitMax) wait = WaitMax;
        if (wait <= TimeSpan.Zero) return;
        using var timer = new CancellationTokenSource();
        // A millisecond late rather than early: timers round down.
        await Task.WhenAny([.. events, Task.Delay(wait + TimeSpan.FromMilliseconds(1), timer.Token)]).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
    }

    // The session's buffer is written to meanwhile: the bytes are taken out of it first.
    private async Task SendAsync(CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> left = _session.Output.ToArray();
        _session.OnSent();
        while (!left.IsEmpty) left = left[await _socket.SendAsync(left, SocketFlags.None, cancellation).ConfigureAwait(false)..];
    }

    private async Task<int> ReadAsync(CancellationToken cancellation) => await _socket.ReceiveAsync(_buffer, SocketFlags.None, cancellation).ConfigureAwait(false);

    private async Task CloseAsync(Task? sending, CancellationTokenSource closing)
    {
        closing.CancelAfter(GoodbyeTime);
        if (sending is not null) await FaultOfAsync(sending).ConfigureAwait(false);
        if (!_session.Output.IsEmpty) await FaultOfAsync(SendAsync(closing.Token)).ConfigureAwait(false);
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Closed by the peer already.
        }

        await closing.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
    }

    private static async Task<string?> FaultOfAsync(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
            return null;
        }
        catch (SocketException e)
        {
            return $"the connection failed: {e.SocketErrorCode}";
        }
        catch (OperationCanceledException)
        {
            return "stopped";
        }
    }
}
