using System.Net;
using System.Net.Sockets;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Paths.Ssh;

/// <summary>What an <see cref="SshReflector"/> is told.</summary>
public sealed record SshReflectorOptions
{
    /// <summary>Where clients are accepted; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>What each session is told.</summary>
    public required SshServerOptions Server { get; init; }

    /// <summary>Sessions at a time; further clients are turned away. Default 100.</summary>
    public int MaxFlows { get; init; } = 100;

    /// <summary>How long a session may last; default a day.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromDays(1);
}

/// <summary>The other end of a path, in SSH: accepts clients, holds their sessions, answers and sends keepalives, ends those that are dead.</summary>
public sealed class SshReflector : IAsyncDisposable
{
    private readonly SshReflectorOptions _options;
    private readonly Action<long, SshEvent> _tell;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, Task> _flows = [];
    private readonly Lock _lock = new();
    private readonly Task _accepting;
    private long _count;

    private SshReflector(SshReflectorOptions options, Socket listener, Action<long, SshEvent> tell)
    {
        (_options, _listener, _tell) = (options, listener, tell);
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients are accepted.</summary>
    public IPEndPoint Listening => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Starts to accept.</summary>
    /// <param name="options">What it is told.</param>
    /// <param name="tell">Told every event of every flow, by its number; by many threads.</param>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static SshReflector Start(SshReflectorOptions options, Action<long, SshEvent> tell)
    {
        ArgumentNullException.ThrowIfNull(options);
        var listener = new Socket(options.Listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(options.Listen);
            listener.Listen();
            return new SshReflector(options, listener, tell);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Ends every session with a goodbye.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] left;
        lock (_lock) left = [.. _flows.Values];
        await Task.WhenAll(left).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Hold(await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A client that has gone already, or no descriptor left: not at once again.
                await Task.Delay(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
            }
        }
    }

    private void Hold(Socket client)
    {
        long number = ++_count;
        lock (_lock)
        {
            if (_flows.Count >= _options.MaxFlows)
            {
                client.Dispose();
                _tell(number, new SshEvent(SshEventKind.Notice, $"turned away: {_options.MaxFlows} sessions are held, the most that --max-flows allows"));
                return;
            }

            client.NoDelay = true;
            _tell(number, new SshEvent(SshEventKind.Notice, $"accepted from {client.RemoteEndPoint}"));
            _flows.Add(number, Task.Run(() => RunAsync(number, client)));
        }
    }

    private async Task RunAsync(long number, Socket client)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        stop.CancelAfter(_options.MaxTime);
        using (var flow = new SshFlow(client, new SshServer(_options.Server), e => _tell(number, e))) await flow.RunAsync(stop.Token).ConfigureAwait(false);
        lock (_lock) _flows.Remove(number);
    }
}
