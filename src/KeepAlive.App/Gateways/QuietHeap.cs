namespace KeepAlive.App.Gateways;

/// <summary>
/// Gives memory back once a burst is over. The runtime collects garbage when enough new garbage comes, and an idle gateway
/// makes none: what thousands of connections needed to be opened would stay for as long as they are held.
/// </summary>
internal sealed class QuietHeap : IDisposable
{
    private const long WorthBytes = 2 << 20;
    private const long QuietBytes = 256 << 10;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    private readonly Timer _timer;
    private long _seen = GC.GetTotalAllocatedBytes();
    private long _collected;

    public QuietHeap() => _timer = new Timer(_ => Look(), null, Period, Period);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        long allocated = GC.GetTotalAllocatedBytes(), lately = allocated - _seen;
        _seen = allocated;
        if (lately > QuietBytes || allocated - _collected < WorthBytes) return;
        // A few milliseconds for each thousand flows, at a time when nothing goes on.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _collected = _seen = GC.GetTotalAllocatedBytes();
    }
}
