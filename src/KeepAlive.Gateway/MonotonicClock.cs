using System.Diagnostics;
using KeepAlive.Core;

namespace KeepAlive.Gateway;

/// <summary>The process's one clock: CLOCK_MONOTONIC, which does not jump.</summary>
internal static class MonotonicClock
{
    /// <summary>Now.</summary>
    public static Instant Now => new(Stopwatch.GetElapsedTime(0).Ticks);
}
