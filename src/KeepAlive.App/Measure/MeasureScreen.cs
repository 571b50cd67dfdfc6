using System.Globalization;
using KeepAlive.Core;
using KeepAlive.Paths;
using KeepAlive.Paths.Measure;

namespace KeepAlive.App.Measure;

/// <summary>
/// Lanes as bars on a terminal's stderr, drawn in place; a line each ten seconds where it is none.
/// <code>
///  silent  6.9s   ██████████████████ lived
///  silent  7.2s   ██████████████████ lost
///  silent  7.6s   █████████████████▒
/// </code>
/// </summary>
internal sealed class MeasureScreen
{
    // ECMA-48: cursor up, erase to the end of the screen.
    private const string Escape = "\x1b[";
    private const string Up = "A";
    private const string EraseRest = "\x1b[J";

    private const int Bar = 24;
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(10);

    private readonly TextWriter _output = Console.Error;
    private readonly bool _isTerminal = !Console.IsErrorRedirected && Console.WindowHeight > 0;
    private readonly Instant _begun = PathClock.Now;
    private Instant _lineAt = PathClock.Now + LineEvery;
    private int _drawn;

    public void Show(Measurement measurement)
    {
        if (!_isTerminal)
        {
            if (PathClock.Now < _lineAt) return;
            _lineAt = PathClock.Now + LineEvery;
            _output.WriteLine(Foot(measurement));
            return;
        }

        Clear();
        string[] lines = [.. Rows(measurement, Console.WindowHeight - 3), Foot(measurement)];
        foreach (string line in lines) _output.WriteLine(line[..Math.Min(line.Length, Console.WindowWidth - 1)]);
        _drawn = lines.Length;
    }

    public void Clear()
    {
        if (_drawn > 0) _output.Write(string.Create(CultureInfo.InvariantCulture, $"{Escape}{_drawn}{Up}{EraseRest}"));
        _drawn = 0;
    }

    // What is being decided: the lanes around the longest that lived.
    private static IEnumerable<string> Rows(Measurement measurement, int most)
    {
        Lane[] refreshed = [.. measurement.Lanes.Where(l => l.Kind != LaneKind.Silent)];
        Lane[] silent = [.. measurement.Lanes.Where(l => l.Kind == LaneKind.Silent && l.Stage != LaneStage.Void).OrderBy(l => l.Silence)];
        int room = Math.Max(4, Math.Min(20, most - refreshed.Length));
        int next = Array.FindLastIndex(silent, l => l.Stage == LaneStage.Lived) + 1;
        int first = Math.Clamp(next - (room / 2), 0, Math.Max(0, silent.Length - room));
        return refreshed.Select(Row).Concat(silent.Skip(first).Take(room).Select(Row));
    }

    private static string Row(Lane lane)
    {
        TimeSpan age = lane.Stage is LaneStage.Waiting or LaneStage.Opening or LaneStage.Void ? TimeSpan.Zero : PathClock.Now - lane.Since;
        double part = lane.Kind != LaneKind.Silent ? 0 : lane.IsResolved || lane.Stage == LaneStage.Due ? 1 : Math.Clamp(age / lane.Silence, 0, 1);
        int full = (int)(part * Bar);
        string bar = lane.Kind != LaneKind.Silent ? new string(' ', Bar) : new string('█', full) + new string('░', Bar - full);
        return string.Create(CultureInfo.InvariantCulture, $" {Name(lane.Kind),-26} {(lane.Kind == LaneKind.Silent ? Short(lane.Silence) : Short(age)),8}  {bar}  {State(lane)}");
    }

    private static string Name(LaneKind kind) => kind switch
    {
        LaneKind.Silent => "silent",
        LaneKind.ClientKeepAlive => "TCP keepalive from here",
        LaneKind.ServerKeepAlive => "TCP keepalive from there",
        LaneKind.ClientBytes => "data from here",
        _ => "data from there",
    };

    private static string State(Lane lane) => lane.Stage switch
    {
        LaneStage.Waiting => "waiting",
        LaneStage.Opening => "connecting",
        LaneStage.Lived => "lived",
        LaneStage.Lost => "lost",
        LaneStage.Ended => string.Create(CultureInfo.InvariantCulture, $"{(lane.End == LaneEnd.Close ? "closed" : lane.End == LaneEnd.Reset ? "reset" : "given up")} after {Short(lane.Age)}"),
        LaneStage.Due => "asked",
        _ => "",
    };

    private string Foot(Measurement measurement)
    {
        (TimeSpan low, TimeSpan? high) = measurement.Known;
        string known = high is { } lost ? $"between {Short(low)} and {Short(lost)}" : low > TimeSpan.Zero ? $"longer than {Short(low)}" : "nothing known yet";
        return $"after {Duration.Format(TimeSpan.FromSeconds(Math.Round((PathClock.Now - _begun).TotalSeconds)))}: {known}";
    }

    private static string Short(TimeSpan time) => time < TimeSpan.FromMinutes(2) ? time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + "s" : Duration.Format(TimeSpan.FromSeconds(Math.Round(time.TotalSeconds)));
}
