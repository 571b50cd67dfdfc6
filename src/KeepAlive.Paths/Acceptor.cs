using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Paths;

/// <summary>A listener of a reflector, and the connections that came by it until they are over.</summary>
internal sealed class Acceptor : IAsyncDisposable
{
    // A client that has gone already, or no descriptor left: not at once again.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, Task> _connections = [];
    private readonly Lock _lock = new();
    private Task _accepting = Task.CompletedTask;
    private long _count;

    private Acceptor(Socket listener) => _listener = listener;

    /// <summary>Where clients are accepted.</summary>
    public IPEndPoint Listening => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Ends every connection.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Connections that are not over.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _connections.Count;
        }
    }

    /// <summary>Listens; nothing is accepted yet.</summary>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static Acceptor Listen(IPEndPoint address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(address);
            listener.Listen();
            return new Acceptor(listener);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Accepts from now on.</summary>
    /// <param name="admit">Given each client with its number, one at a time: what is to be run for it, which never throws; null where it was turned away.</param>
    public void Begin(Func<long, Socket, Func<Task>?> admit) => _accepting = AcceptAsync(admit);

    /// <summary>Accepts no more, and waits for all connections to end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        Task[] left;
        lock (_lock) left = [.. _connections.Values];
        await Task.WhenAll(left).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync(Func<long, Socket, Func<Task>?> admit)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                long number = ++_count;
                if (admit(number, client) is not { } run) continue;
                lock (_lock) _connections.Add(number, Task.Run(() => RunAsync(number, run)));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }

    private async Task RunAsync(long number, Func<Task> run)
    {
        await run().ConfigureAwait(false);
        lock (_lock) _connections.Remove(number);
    }
}
