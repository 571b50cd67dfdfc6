using System.Net;
using System.Net.Sockets;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Paths.Ssh;

/// <summary>What an <see cref="SshReflector"/> is told.</summary>
internal sealed record SshReflectorOptions
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
internal sealed class SshReflector : IAsyncDisposable
{
    private readonly SshReflectorOptions _options;
    private readonly Action<long, SshEvent> _tell;
    private readonly Acceptor _acceptor;

    private SshReflector(SshReflectorOptions options, Acceptor acceptor, Action<long, SshEvent> tell)
    {
        (_options, _acceptor, _tell) = (options, acceptor, tell);
        acceptor.Begin(Admit);
    }

    /// <summary>Where clients are accepted.</summary>
    public IPEndPoint Listening => _acceptor.Listening;

    /// <summary>Starts to accept.</summary>
    /// <param name="options">What it is told.</param>
    /// <param name="tell">Told every event of every flow, by its number; by many threads.</param>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static SshReflector Start(SshReflectorOptions options, Action<long, SshEvent> tell)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new SshReflector(options, Acceptor.Listen(options.Listen), tell);
    }

    /// <summary>Ends every session with a goodbye.</summary>
    public ValueTask DisposeAsync() => _acceptor.DisposeAsync();

    private Func<Task>? Admit(long number, Socket client)
    {
        if (_acceptor.Count >= _options.MaxFlows)
        {
            client.Dispose();
            _tell(number, new SshEvent(SshEventKind.Notice, $"turned away: {_options.MaxFlows} sessions are held, the most that --max-flows allows"));
            return null;
        }

        client.NoDelay = true;
        _tell(number, new SshEvent(SshEventKind.Notice, $"accepted from {client.RemoteEndPoint}"));
        return () => RunAsync(number, client);
    }

    private async Task RunAsync(long number, Socket client)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(_acceptor.Stop);
        stop.CancelAfter(_options.MaxTime);
        using var flow = new SshFlow(client, new SshServer(_options.Server), e => _tell(number, e));
        await flow.RunAsync(stop.Token).ConfigureAwait(false);
    }
}
