namespace KeepAlive.App.Events;

/// <summary>The files and web addresses that events go to just now.</summary>
internal sealed class EventSinks : IAsyncDisposable
{
    private readonly Dictionary<EventTarget, EventSink> _sinks = [];
    private volatile EventSink[] _told = [];

    public void Tell(ToldEvent e)
    {
        foreach (EventSink sink in _told) sink.Tell(e);
    }

    /// <summary>Those that are the same go on; the others end, or begin.</summary>
    /// <param name="targets">With unique names.</param>
    /// <param name="failed">Told the name of one that fails, and why.</param>
    public async Task UseAsync(IReadOnlyList<EventTarget> targets, Action<string, string> failed)
    {
        var ended = _sinks.Where(pair => !targets.Contains(pair.Key)).ToArray();
        foreach ((EventTarget target, _) in ended) _sinks.Remove(target);
        foreach (EventTarget target in targets.Where(t => !_sinks.ContainsKey(t)))
        {
            EventSink sink = target.Open();
            sink.Failed += why => failed(target.Name, why);
            sink.Start();
            _sinks.Add(target, sink);
        }

        _told = [.. _sinks.Values];
        await Task.WhenAll(ended.Select(pair => pair.Value.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await UseAsync([], (_, _) => { }).ConfigureAwait(false);
}
