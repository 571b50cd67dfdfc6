using System.Diagnostics;

namespace KeepAlive.App.Demo;

/// <summary>What has happened in one act of the demo, for whoever draws it.</summary>
internal sealed class DemoScene(string title, Action<TimeSpan, string> say)
{
    private readonly Lock _lock = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<(TimeSpan At, char Sign)> _signs = [];
    private double _transferred;

    public string Title { get; } = title;

    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>Part of the file that arrived, 0 to 1.</summary>
    public double Transferred
    {
        get { lock (_lock) return _transferred; }
        set { lock (_lock) _transferred = value; }
    }

    /// <summary>A sign on the control connection's line, and, if words are given, a line for those who read.</summary>
    public void Mark(char sign, string? words = null)
    {
        TimeSpan at = _watch.Elapsed;
        lock (_lock) _signs.Add((at, sign));
        if (words is not null) say(at, words);
    }

    /// <summary>The control connection's line: one cell each <paramref name="cell"/>, the strongest sign in it.</summary>
    public string ControlLine(TimeSpan cell)
    {
        const string Weakest = "─·●◆✗";
        int length = (int)(_watch.Elapsed / cell) + 1;
        char[] line = new string(Weakest[0], length).ToCharArray();
        lock (_lock)
        {
            foreach ((TimeSpan at, char sign) in _signs)
            {
                ref char shown = ref line[Math.Min(length - 1, (int)(at / cell))];
                if (Weakest.IndexOf(sign, StringComparison.Ordinal) > Weakest.IndexOf(shown, StringComparison.Ordinal)) shown = sign;
            }

            // After the binding is gone the line is.
            int gone = Array.IndexOf(line, '✗');
            if (gone >= 0) Array.Fill(line, ' ', gone + 1, length - gone - 1);
        }

        return new string(line);
    }
}
