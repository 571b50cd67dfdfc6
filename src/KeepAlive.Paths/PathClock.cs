using System.Diagnostics;
using KeepAlive.Core;

namespace KeepAlive.Paths;

/// <summary>The clock of everything that is measured here.</summary>
internal static class PathClock
{
    /// <summary>Now.</summary>
    public static Instant Now => new(Stopwatch.GetElapsedTime(0).Ticks);
}
