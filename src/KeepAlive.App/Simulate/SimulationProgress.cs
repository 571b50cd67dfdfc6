using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.App.Simulate;

/// <summary>How far it is: one line on stderr, rewritten, on a terminal only, and not for what is done in a moment.</summary>
internal sealed class SimulationProgress(IReadOnlyList<KeepAlivePolicy> policies, int flows) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly bool _isShown = !Console.IsErrorRedirected;
    private readonly Lock _lock = new();
    private long _lastShown = Stopwatch.GetTimestamp();
    private bool _isOnScreen;

    public Action<long>? Of(KeepAlivePolicy policy) => _isShown ? done => Show(policy, done) : null;

    public void Dispose()
    {
        // ECMA-48: erase the line.
        if (_isOnScreen) Console.Error.Write("\r\x1b[K");
    }

    private void Show(KeepAlivePolicy policy, long done)
    {
        lock (_lock)
        {
            if (Stopwatch.GetElapsedTime(_lastShown) < Pause) return;
            _lastShown = Stopwatch.GetTimestamp();
            _isOnScreen = true;
            int index = policies.Select((p, i) => (p, i)).First(pair => pair.p == policy).i + 1;
            string which = policies.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{policy}, {index} of {policies.Count}: ");
            Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r\x1b[K{which}{done} of {flows} flows ({100.0 * done / flows:0}%)"));
        }
    }
}
