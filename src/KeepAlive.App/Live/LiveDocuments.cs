using System.Globalization;

namespace KeepAlive.App.Live;

/// <summary>A document as it was made last.</summary>
/// <param name="Version">Another text has another.</param>
/// <param name="Json">Of the whole.</param>
internal sealed record LiveDocument(long Version, string Json);

/// <summary>Makes a document anew now and then, and tells whether it is another.</summary>
/// <param name="every">No sooner than after so many milliseconds.</param>
/// <param name="write">An object without the time, which is put before all it says.</param>
internal sealed class LiveDocuments(long every, Func<string> write)
{
    private readonly Lock _lock = new();
    private string? _said;
    private LiveDocument? _last;
    private long _madeAt;

    /// <summary>As it is.</summary>
    public LiveDocument Read(long now)
    {
        lock (_lock)
        {
            if (_last is not null && now - _madeAt < every) return _last;
            _madeAt = now;
            string said = write();
            if (_last is not null && said == _said) return _last;
            _said = said;
            return _last = new LiveDocument((_last?.Version ?? 0) + 1, string.Create(CultureInfo.InvariantCulture, $"{{\"now\":{now},{said.AsSpan(1)}"));
        }
    }
}
