namespace KeepAlive.App.Live;

/// <summary>What is gone, for those who know it still. The oldest are forgotten: who is so far behind is told the whole.</summary>
internal sealed class Tombstones<T>
{
    private const int Max = 20_000;

    private readonly Queue<(long At, T Id)> _gone = new();

    /// <summary>Everything after this count is remembered.</summary>
    public long Since { get; private set; }

    public void Add(long at, T id)
    {
        if (_gone.Count >= Max) Since = _gone.Dequeue().At;
        _gone.Enqueue((at, id));
    }

    /// <summary>Gone after this count.</summary>
    public IEnumerable<T> After(long count) => _gone.Where(g => g.At > count).Select(g => g.Id);
}
