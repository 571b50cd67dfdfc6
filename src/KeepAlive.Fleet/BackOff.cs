namespace KeepAlive.Fleet;

/// <summary>How long to wait before the next attempt: doubled each time, and anywhere in it, so that machines that lost etcd together do not come back together.</summary>
internal sealed class BackOff(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(30);

    private TimeSpan _next = First;

    /// <summary>The wait; the next one is longer.</summary>
    public TimeSpan Next()
    {
        TimeSpan wait = (_next / 2) + (_next / 2 * random.NextDouble());
        _next = _next * 2 < Most ? _next * 2 : Most;
        return wait;
    }

    /// <summary>It went well.</summary>
    public void Reset() => _next = First;
}
