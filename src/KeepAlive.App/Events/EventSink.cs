using System.Threading.Channels;

namespace KeepAlive.App.Events;

/// <summary>Where events are kept or sent by a task of its own: whoever tells them never waits, and what there is no room for is dropped and counted.</summary>
internal abstract class EventSink : IAsyncDisposable
{
    // A burst of all flows of a gateway dying at once; some 200 bytes each.
    private const int WaitingMax = 20_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Channel<ToldEvent> _waiting = Channel.CreateBounded<ToldEvent>(new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly CancellationTokenSource _ending = new();
    private readonly EventTarget _target;
    private Task _writing = Task.CompletedTask;
    private long _dropped;

    protected EventSink(EventTarget target) => _target = target;

    /// <summary>What could not be kept, told once until it goes well again.</summary>
    public event Action<string>? Failed;

    /// <summary>From here on it is written.</summary>
    public void Start() => _writing = Task.Run(() => WriteAllAsync(_waiting.Reader, _ending.Token));

    public void Tell(ToldEvent e)
    {
        if (_target.Wants(e) && !_waiting.Writer.TryWrite(e)) Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what still waits, if that goes fast.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(Patience)).ConfigureAwait(false);
        await _ending.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    /// <summary>Until there are no more.</summary>
    protected abstract Task WriteAllAsync(ChannelReader<ToldEvent> events, CancellationToken end);

    /// <summary>How many there was no room for since this was last asked.</summary>
    protected long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    protected void Fail(string why) => Failed?.Invoke(why);
}
