using KeepAlive.Core;
using KeepAlive.Paths.Catalogue;

namespace KeepAlive.App.Explain;

/// <summary>What stands on a path, as <c>--for</c> names it: known middleboxes and bare timeouts.</summary>
/// <param name="All">At least one.</param>
internal sealed record PathLimits(IReadOnlyList<PathLimit> All)
{
    /// <summary>The one that forgets first.</summary>
    public PathLimit Shortest => All.MinBy(limit => limit.Timeout)!;

    /// <summary>Those that no TCP keepalive refreshes.</summary>
    public IEnumerable<PathLimit> AboveTcp => All.Where(limit => limit.Middlebox is { Refresh: BindingRefresh.Payload });

    /// <summary><c>aws-nlb,azure-lb,300s</c>.</summary>
    public static bool Read(string text, out PathLimits value, out string? fault)
    {
        var all = new List<PathLimit>();
        value = new PathLimits(all);
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!PathLimit.Read(part, out PathLimit limit, out fault)) return false;
            all.Add(limit);
        }

        fault = null;
        return true;
    }
}

/// <summary>A middlebox, or only its timeout.</summary>
/// <param name="Timeout">Silence after which it forgets a flow.</param>
/// <param name="Middlebox">Which it is; null where a bare duration was given.</param>
internal sealed record PathLimit(TimeSpan Timeout, KnownMiddlebox? Middlebox)
{
    /// <summary>For people.</summary>
    public string Text => Middlebox is null ? Duration.Format(Timeout) : $"{Middlebox.Name} {Duration.Format(Timeout)}";

    /// <summary>A name of the catalogue, or a duration.</summary>
    public static bool Read(string text, out PathLimit value, out string? fault)
    {
        fault = null;
        value = null!;
        if (MiddleboxCatalogue.Find(text) is { } known) value = new PathLimit(known.IdleTimeout, known);
        else if (Duration.TryParse(text, out TimeSpan timeout) && timeout > TimeSpan.Zero && timeout <= KeepAlivePolicy.DurationMax) value = new PathLimit(timeout, null);
        else fault = $"'{Texts.Printable(text)}' is neither a known middlebox nor a duration such as 300s: known are {string.Join(", ", MiddleboxCatalogue.All.Select(m => m.Name).Order(StringComparer.Ordinal))}";
        return fault is null;
    }
}
